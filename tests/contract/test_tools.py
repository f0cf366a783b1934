"""Rules that hold for every tool: names, words, schemas, failures."""

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from mcp_daan.app import App
from mcp_daan.protocol import to_json
from mcp_daan.server.calls import listed
from mcp_daan.toolbox import Tool
from mcp_daan.tools import HOMES, all_tools, find
from tests.asking import run

NAMES = [
    "knowledge_validate",
    "knowledge_search",
    "knowledge_read",
    "lessons_append",
    "lessons_list",
    "d1_databases",
    "d1_schema",
    "d1_query",
    "d1_explain",
    "d1_migrations",
    "d1_check",
    "tokens_health",
    "oauth_check",
    "workers_check",
    "kv_read",
    "infra_status",
]
LISTED = {tool["name"]: tool for tool in listed(all_tools().values())}
# The least that each tool needs to be called.
LEAST: dict[str, dict[str, Any]] = {
    "knowledge_search": {"query": "row limits"},
    "lessons_append": {
        "title": "A title",
        "problem": "What went wrong.",
        "solution": "What mended it.",
        "component": "d1",
    },
    "d1_schema": {"database": "absent"},
    "d1_query": {"database": "absent", "sql": "SELECT 1"},
    "d1_explain": {"database": "absent", "sql": "SELECT 1"},
    "d1_migrations": {"database": "absent"},
    "d1_check": {"database": "absent"},
    "kv_read": {"namespace": "absent"},
}
FIELDS = {
    "knowledge_validate": "version files scraped migrations branchLessons findings",
    "knowledge_search": "results total nextCursor",
    "knowledge_read": "files path title sections text nextCursor",
    "lessons_append": "id path duplicateOf similar",
    "lessons_list": "lessons total nextCursor",
    "d1_databases": "databases",
    "d1_schema": "tables",
    "d1_query": "columns rows rowCount truncated nextCursor masked meta",
    "d1_explain": "plan rowsRead advice",
    "d1_migrations": "applied pending unknown edited rehearsal",
    "d1_check": "checks",
    "tokens_health": "asOf counts connections loop crypto apiKeys grants cloudflare nextCursor",
    "oauth_check": "checks counts",
    "workers_check": "apps findings",
    "kv_read": "keys value bytes expiresAt metadata nextCursor",
    "infra_status": "components findings",
}
ARGUMENTS = {
    "knowledge_validate": "component",
    "knowledge_search": "query component scope limit cursor",
    "knowledge_read": "path section max_bytes cursor",
    "lessons_append": "title problem solution component evidence author force supersedes",
    "lessons_list": "component query since branches limit cursor",
    "d1_databases": "location",
    "d1_schema": "database table detail",
    "d1_query": "database sql parameters limit cursor",
    "d1_explain": "database sql parameters advise",
    "d1_migrations": "database rehearse",
    "d1_check": "database deep",
    "tokens_health": "database state provider limit cursor",
    "oauth_check": "url active",
    "workers_check": "app remote",
    "kv_read": "namespace key prefix limit cursor",
    "infra_status": "",
}
EVERY_TOOL = pytest.mark.parametrize("tool", all_tools().values(), ids=lambda tool: tool.name)


def test_the_tools_are_those_of_the_contract_in_a_fixed_order() -> None:
    """Clients cache the list, so its order is part of it."""
    assert list(all_tools()) == NAMES


@EVERY_TOOL
def test_a_tool_is_found_by_itself_as_in_the_list(tool: Tool) -> None:
    """The table of modules names every tool, in the order in which each module defines them."""
    assert find(tool.name) is tool
    assert list(HOMES) == NAMES
    assert find("no_such_tool") is None


@EVERY_TOOL
def test_arguments_and_fields_are_those_of_the_contract(tool: Tool) -> None:
    """More is allowed, less is a breaking change."""
    assert set(ARGUMENTS[tool.name].split()) | {"task_id"} <= set(tool.input_schema["properties"])
    assert set(FIELDS[tool.name].split()) <= set(tool.output_schema["properties"]["data"]["properties"])


@EVERY_TOOL
def test_a_tool_says_what_it_is_in_words_an_agent_can_use(tool: Tool) -> None:
    """A first line that stands alone, every argument explained, nothing long."""
    lines = tool.description.splitlines()

    assert re.fullmatch(r"[A-Z].{10,140}\.", lines[0])
    assert len(tool.description) < 900
    assert [name for name, value in tool.input_schema["properties"].items() if not value.get("description")] == []
    assert re.fullmatch(r"[a-z0-9_]{1,64}", tool.name)
    assert tool.title != ""


def test_only_the_writing_tool_is_not_read_only() -> None:
    """Clients ask for approval where the hint is absent."""
    assert [name for name, tool in LISTED.items() if not tool["annotations"]["readOnlyHint"]] == ["lessons_append"]


@EVERY_TOOL
def test_schemas_are_valid_and_self_contained(tool: Tool) -> None:
    """JSON Schema 2020-12 without references."""
    for schema in (tool.input_schema, tool.output_schema):
        jsonschema.Draft202012Validator.check_schema(schema)
        assert "$ref" not in to_json(schema)


@EVERY_TOOL
def test_every_answer_fits_its_own_schema_and_the_protocol(tool: Tool, app: App) -> None:
    """On an empty workspace, whether the call succeeds or fails."""
    answer = run(tool, app, LEAST.get(tool.name, {})).model_dump(by_alias=True)

    jsonschema.validate(answer, tool.output_schema)
    assert list(answer) == [
        "taskId",
        "status",
        "summary",
        "artifacts",
        "component",
        "lessonsAdded",
        "recommendations",
        "data",
        "error",
    ]
    assert (answer["error"] is None) == (answer["status"] != "failed")
    assert answer["status"] != "failed" or answer["recommendations"] != []
    assert answer["error"] is None or answer["error"]["code"] != "internal"


@EVERY_TOOL
def test_an_unknown_argument_is_an_error_that_names_it(tool: Tool, app: App) -> None:
    """Never a silent drop."""
    answer = run(tool, app, {**LEAST.get(tool.name, {}), "colour": "red"})

    assert answer.error is not None
    assert (answer.error.code, "`colour`" in answer.error.message) == ("invalid_arguments", True)


@EVERY_TOOL
@pytest.mark.parametrize(
    "value", [[], {}, 3.5, "", "x" * 1_000_000, None], ids=["list", "object", "number", "empty", "1 MB", "null"]
)
def test_a_wrong_value_of_any_argument_never_breaks_the_server(tool: Tool, app: App, value: object) -> None:
    """Every argument in turn: the answer is a clear failure or a real answer, never `internal`."""
    for name in tool.input_schema["properties"]:
        answer = run(tool, app, {**LEAST.get(tool.name, {}), name: value})

        assert answer.error is None or answer.error.code in ("invalid_arguments", "not_found", "conflict"), name
        assert len(to_json(answer.model_dump(by_alias=True)).encode()) <= 65536


@EVERY_TOOL
def test_a_broken_daan_toml_is_a_clear_failure_and_mending_it_is_enough(tool: Tool, workspace: Path) -> None:
    """No restart: the next call reads the file again."""
    (workspace / "daan.toml").write_text("[knowledge\n")
    app = App(str(workspace), {})
    broken = run(tool, app.for_call(), LEAST.get(tool.name, {}))
    (workspace / "daan.toml").write_text("[knowledge]\n")
    mended = run(tool, app.for_call(), LEAST.get(tool.name, {}))
    app.close()

    assert broken.error is not None
    assert (broken.error.code, "daan.toml" in broken.error.message) == ("invalid_arguments", True)
    assert mended.error is None or mended.error.code == "not_found"


def test_the_tool_list_is_small_enough_for_a_models_context() -> None:
    """Names, descriptions and input schemas together; about four characters a token."""
    shown = [
        {key: tool[key] for key in ("name", "description", "inputSchema")} for tool in listed(all_tools().values())
    ]

    assert len(json.dumps(shown, separators=(",", ":"))) < 16_000
