"""Our walk over wrangler's schema says what the library for JSON Schema says; our list is wrangler's own."""

import copy
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mcp_daan.workers.configuration.known import CARRIED, carried
from mcp_daan.workers.configuration.schema import problems
from tests.node.packages import installed
from tests.workers.broken import JUNK, REAL, places
from tests.workers.faults import worker
from tests.workers.generate import generated
from tests.workers.planted import FAULTS, checked, found, written


def library() -> jsonschema.Draft7Validator:
    """The library with wrangler's own schema."""
    schema = json.loads((installed("wrangler") / "node_modules/wrangler/config-schema.json").read_text())
    return jsonschema.Draft7Validator(schema)


LIBRARY: list[jsonschema.Draft7Validator] = []


def valid(values: Any) -> bool:
    """Whether the library finds nothing."""
    if not LIBRARY:
        LIBRARY.append(library())
    return LIBRARY[0].is_valid(values)


def test_the_list_that_we_carry_is_that_of_the_wrangler_of_the_test_set() -> None:
    """`python -m tests.workers.generate` writes it anew."""
    assert CARRIED.read_text() == generated()


def test_the_list_knows_what_environments_do_not_inherit() -> None:
    """Also the two that the schema's prose leaves out."""
    listed = carried().not_inherited

    assert {"vars", "d1_databases", "kv_namespaces", "queues", "durable_objects", "version_metadata"} <= listed
    assert listed.isdisjoint({"name", "main", "compatibility_date", "triggers", "routes", "assets", "observability"})


def test_real_configurations_are_valid_by_both() -> None:
    """Of the clean set."""
    assert (
        [valid(values) for values in REAL]
        == [problems(values, carried().schema) == [] for values in REAL]
        == [True for _ in REAL]
    )


def test_faults_of_keys_are_invalid_by_both() -> None:
    """Where they are JSON, which the library reads."""
    given_ = [
        json.loads(fault.files[fault.path])
        for fault in FAULTS
        if fault.path == "wrangler.jsonc" and fault.code not in ("config_unreadable", "key_twice")
    ]

    assert [problems(values, carried().schema) == [] for values in given_] == [valid(values) for values in given_]


@settings(deadline=None, max_examples=300)
@given(st.data())
def test_what_is_broken_at_random_is_judged_alike(data: st.DataObject) -> None:
    """One key of a real configuration replaced, or one of wrangler's keys given any value."""
    values = copy.deepcopy(dict(data.draw(st.sampled_from(REAL))))
    known = sorted(carried().schema["definitions"]["RawConfig"]["properties"])
    inner: Any = values
    while data.draw(st.booleans()) and (
        deeper := [each for each in places(inner) if isinstance(inner[each], dict | list)]
    ):
        inner = inner[data.draw(st.sampled_from(deeper))]
    if isinstance(inner, dict):
        inner[data.draw(st.sampled_from([*inner, *known, "unheard_of"]))] = data.draw(JUNK)
    elif inner:
        inner[0] = data.draw(JUNK)

    assert (problems(values, carried().schema) == []) == valid(values)


def test_a_wrong_value_is_told_with_every_right_one(workspace: Path) -> None:
    """Also where the schema has a branch for each."""
    written(workspace, worker(placement={"mode": "clever"}).items())
    (finding,) = checked(workspace)["data"]["findings"]

    assert (finding["code"], 'it takes "off", "smart", "targeted".' in finding["message"]) == ("value_unknown", True)


def test_the_schema_that_the_workspace_has_comes_first(workspace: Path) -> None:
    """A key that our list does not know is no fault where the installed wrangler knows it."""
    schema = copy.deepcopy(dict(carried().schema))
    schema["definitions"]["RawConfig"]["properties"]["tomorrow"] = {"type": "string"}
    written(workspace, worker(tomorrow="yes").items())
    before = found(checked(workspace))
    package = {"config-schema.json": schema, "package.json": {"version": "4.200.1", "engines": {"node": ">=24"}}}
    written(workspace / "node_modules/wrangler", [(name, json.dumps(text)) for name, text in package.items()])
    after = checked(workspace)

    assert [code for code, *_ in before] == ["key_unknown"]
    assert found(after) == []
    assert after["data"]["apps"][0]["wrangler"] == {"version": "4.200.1", "installed": True}


def test_a_key_may_be_of_a_wrangler_that_is_younger_than_our_list(workspace: Path) -> None:
    """Then it is only mentioned."""
    package = json.dumps({"devDependencies": {"wrangler": "^4.999.0"}})
    written(workspace, {**worker(tomorrow="yes"), "package.json": package}.items())
    (finding,) = checked(workspace)["data"]["findings"]

    assert (finding["code"], finding["severity"]) == ("key_unknown", "info")


@pytest.mark.parametrize(
    "schema",
    [
        {"definitions": {"a": {"$ref": "#/definitions/a"}}, "allOf": [{"$ref": "#/definitions/a"}]},
        {
            "definitions": {"a": {"anyOf": [{"$ref": "#/definitions/a"}] * 9, "type": "string"}},
            "$ref": "#/definitions/a",
        },
        {"definitions": {}, "type": 5, "properties": [], "required": "x", "anyOf": {}, "enum": {}},
        {"definitions": {}, "additionalProperties": {"$ref": 7}, "items": [], "allOf": [None, 1]},
    ],
)
@pytest.mark.timeout(20)
def test_a_schema_that_means_harm_comes_to_an_end(workspace: Path, schema: dict[str, Any]) -> None:
    """It lies in the workspace, where anyone may have put it."""
    files = {"node_modules/wrangler/config-schema.json": json.dumps(schema), "node_modules/wrangler/package.json": "{}"}
    written(workspace, {**worker(), **files}.items())

    assert checked(workspace)["status"] == "complete"
