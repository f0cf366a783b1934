"""Local namespaces are read as the real engine keeps them."""

import json
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from mcp_daan.local_state import STATE
from mcp_daan.workers.kv.namespaces import KIND, UNIQUE_KEY, find_namespaces
from mcp_daan.workspace import Workspace
from tests.node.kv import in_kv, put

from .conftest import CACHE, Portal, contents

# The first run installs the engine.
pytestmark = pytest.mark.timeout(300)
PNG = bytes.fromhex("89504e470d0a1a0a") + bytes(range(200, 256))
ODD = ["a/../b", "ü ñ/%2F?x=1#y", "new\nline", "日本:key", "'; DROP TABLE x; --", "x" * 512, "%2e%2e", "*", "a\\b"]
PAGE = '{"title": "Home", "views": 12345678901234567890, "ratio": 0.5, "tags": ["a", null, true]}'


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Portal:
    """A workspace whose namespace the real engine filled, for the whole file; nobody changes it."""
    portal = Portal(tmp_path_factory.mktemp("filled"))
    portal.fill(
        CACHE,
        put("page:1", PAGE, metadata={"etag": "abc", "rank": 3}),
        put("page:2", "plain text, ünïcode", expirationTtl=3600),
        put("logo", PNG),
        put("empty", ""),
        *(put(name, f"value {number}") for number, name in enumerate(ODD)),
        *(put(f"bulk:{number:04}", str(number)) for number in range(250)),
    )
    return portal


def test_a_json_value_comes_as_json_with_what_is_known_of_it(filled: Portal) -> None:
    """Integers that JSON readers would round come as text."""
    answer = filled.ask("CACHE", key="page:1")

    assert {
        "value": {"title": "Home", "views": "12345678901234567890", "ratio": 0.5, "tags": ["a", None, True]},
        "kind": "json",
        "bytes": len(PAGE),
        "metadata": {"etag": "abc", "rank": 3},
        "expiresAt": None,
    } == {name: answer.data[name] for name in ("value", "kind", "bytes", "metadata", "expiresAt")}
    assert (answer.status, answer.component, answer.artifacts) == ("complete", "workers", ["kv://CACHE/page:1"])


def test_text_and_binary_come_as_what_they_are(filled: Portal) -> None:
    """Binary by its size and its first bytes, an empty value as an empty text."""
    text, binary, empty = (filled.ask("CACHE", key=key).data for key in ("page:2", "logo", "empty"))

    assert (text["value"], text["kind"]) == ("plain text, ünïcode", "text")
    assert text["expiresAt"].startswith("20")
    assert ({"blob": len(PNG), "hex": PNG[:32].hex()}, "binary", len(PNG)) == (
        binary["value"],
        binary["kind"],
        binary["bytes"],
    )
    assert (empty["value"], empty["bytes"]) == ("", 0)


@pytest.mark.parametrize("key", ODD)
def test_a_name_of_any_characters_finds_its_value(filled: Portal, key: str) -> None:
    """Slashes, dots, percent signs, quotes and line ends mean themselves."""
    assert f"value {ODD.index(key)}" == filled.ask("CACHE", key=key).data["value"]


def test_pages_hold_the_keys_that_the_engine_lists_in_its_order(filled: Portal) -> None:
    """With names, expiry and metadata, each once, whatever the size of a page."""
    (listed,) = in_kv(filled.state, CACHE, {"list": {}})
    found: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    while True:
        data = filled.ask("CACHE", limit=97, **cursor).data
        found += data["keys"]
        assert data["truncated"] == (data["nextCursor"] is not None)
        if data["nextCursor"] is None:
            break
        cursor = {"cursor": data["nextCursor"]}

    assert [(each["name"], each.get("metadata")) for each in listed["keys"]] == [
        (each["name"], each["metadata"]) for each in found
    ]
    assert [each["name"] for each in listed["keys"] if "expiration" in each] == [
        each["name"] for each in found if each["expiresAt"]
    ]


@pytest.mark.parametrize("prefix", ["page:", "bulk:00", "日", "%", "*", "x", "nothing", "bulk:0249"])
def test_a_prefix_lists_what_the_engine_lists_by_it(filled: Portal, prefix: str) -> None:
    """No character of it is a wildcard."""
    (listed,) = in_kv(filled.state, CACHE, {"list": {"prefix": prefix}})

    assert [each["name"] for each in listed["keys"]] == filled.names("CACHE", prefix=prefix, limit=1000)


def test_the_cursor_of_one_list_is_none_of_another(filled: Portal) -> None:
    """It would skip keys that nobody saw."""
    cursor = filled.ask("CACHE", prefix="bulk:", limit=5).data["nextCursor"]

    for other in ({}, {"prefix": "page:"}, {"key": "page:1"}):
        answer = filled.ask("CACHE", cursor=cursor, **other)
        assert answer.error is not None
        assert answer.error.code == "invalid_arguments"


def test_reading_leaves_nothing_behind(filled: Portal) -> None:
    """No file appears, and none changes."""
    before = contents(filled.root)
    for arguments in ({}, {"key": "page:1"}, {"key": "absent"}, {"prefix": "bulk:"}):
        filled.ask("CACHE", **arguments)

    assert before == contents(filled.root)


def test_expired_keys_are_gone_for_both_listing_and_reading(portal: Portal) -> None:
    """The engine would delete them first; here the clock of the workspace judges."""
    portal.fill(CACHE, put("soon", "x", expirationTtl=60), put("later", "y", expirationTtl=86400), put("stays", "z"))
    seen = {name: [] for name in ("2020-01-01", "2026-11-23", "2100-01-01")}
    with sqlite3.connect(portal.file(CACHE)) as connection:
        connection.execute("UPDATE _mf_entries SET expiration = 1795305600000 WHERE key = 'soon'")  # 2026-11-22 00:00
        connection.execute("UPDATE _mf_entries SET expiration = 1795564800000 WHERE key = 'later'")  # 2026-11-25 00:00
    connection.close()
    for moment, names in seen.items():
        portal.environment = {"DAAN_NOW": moment}
        names += portal.names("CACHE")
    answer = portal.ask("CACHE", key="soon")

    assert seen == {
        "2020-01-01": ["later", "soon", "stays"],
        "2026-11-23": ["later", "stays"],
        "2100-01-01": ["stays"],
    }
    assert answer.error is not None
    assert answer.error.code == "not_found"


def test_what_is_missing_is_told_apart(portal: Portal, filled: Portal) -> None:
    """No such namespace, no data yet, no such key: each says what to do."""
    cases = [
        (portal, "CASHE", {}, "CACHE"),
        (portal, "CACHE", {}, "wrangler dev"),
        (filled, "CACHE", {"key": "Page:1"}, "case-sensitive"),
        (portal, "remote:CACHE", {}, "CLOUDFLARE_API_TOKEN"),
    ]
    told = [(where.ask(name, **arguments), word) for where, name, arguments, word in cases]

    assert [answer.error.code for answer, _ in told if answer.error] == [
        "not_found",
        "not_found",
        "not_found",
        "unavailable",
    ]
    assert [answer for answer, word in told if word not in answer.recommendations[0]] == []


@pytest.mark.parametrize("key", [".", "..", "x" * 513, "\ud800"])
def test_a_name_that_kv_forbids_is_a_wrong_argument(filled: Portal, key: str) -> None:
    """Before anything is looked up."""
    answer = filled.ask("CACHE", key=key)

    assert answer.error is not None
    assert (answer.error.code, "`key`" in answer.error.message) == ("invalid_arguments", True)


def test_key_and_prefix_together_are_refused(filled: Portal) -> None:
    """One asks for a value, the other for names."""
    answer = filled.ask("CACHE", key="a", prefix="b")

    assert answer.error is not None
    assert answer.error.code == "invalid_arguments"


def test_a_namespace_is_found_by_binding_id_and_preview_id(portal: Portal) -> None:
    """`preview_id` is what wrangler names the local files by; without any id it is the binding."""
    preview = "abcdefabcdefabcdefabcdefabcdefab"
    portal.bind([{"binding": "A", "id": CACHE, "preview_id": preview}, {"binding": "B"}])
    portal.fill(preview, put("of", "preview"))
    portal.fill("B", put("of", "B"))

    assert [portal.ask(name, key="of").data["value"] for name in ("A", CACHE, preview, "B")] == ["preview"] * 3 + ["B"]


def test_environments_with_other_ids_have_names_of_their_own(portal: Portal) -> None:
    """`CACHE` is the top level's; of one namespace bound twice there is one."""
    production = "abcdefabcdefabcdefabcdefabcdefab"
    same = {"binding": "CACHE", "id": CACHE}
    env = {"production": {"kv_namespaces": [{"binding": "CACHE", "id": production}]}, "test": {"kv_namespaces": [same]}}
    portal.bind([same], env=env)
    portal.bind([{"binding": "CACHE", "id": "0" * 32}], folder="apps/other")
    portal.fill(production, put("of", "production"))

    assert [each.name for each in find_namespaces(Workspace(portal.root), [])] == [
        "CACHE",
        "CACHE@portal",
        "CACHE@production",
    ]
    assert portal.ask("CACHE@production", key="of").data["value"] == "production"


def test_state_that_nothing_binds_any_more_is_found_by_its_id(portal: Portal) -> None:
    """As after an id in the configuration was changed."""
    portal.fill(CACHE, put("left", "behind"))
    portal.bind([{"binding": "CACHE", "id": "0" * 32}])

    assert portal.ask(CACHE, key="left").data["value"] == "behind"


def test_the_state_folder_may_be_elsewhere(portal: Portal) -> None:
    """`[d1] persist` names it for every kind of data, as `--persist-to` does."""
    portal.fill(CACHE, put("a", "b"))
    (portal.root / "state").mkdir()
    shutil.move(portal.state, portal.root / "state/v3")
    (portal.root / "daan.toml").write_text('[d1]\npersist = ["state"]\n')

    assert portal.ask("CACHE", key="a").data["value"] == "b"


def test_a_large_value_comes_in_parts_and_a_huge_one_not_at_all(portal: Portal) -> None:
    """The parts make the whole; what cannot be masked whole is not shown."""
    large = json.dumps({"rows": [f'row {number} é "quoted"' for number in range(8000)]}, ensure_ascii=False)
    portal.fill(CACHE, put("large", large), put("huge", "y" * (5 << 20)))
    parts, cursor = "", {}
    while True:
        answer = portal.ask("CACHE", key="large", **cursor)
        parts += answer.data["value"]
        if answer.data["nextCursor"] is None:
            break
        assert (answer.status, answer.data["truncated"]) == ("partial", True)
        cursor = {"cursor": answer.data["nextCursor"]}
    huge = portal.ask("CACHE", key="huge")

    assert json.loads(large) == json.loads(parts)
    assert (huge.data["value"], huge.data["bytes"], huge.status) == (None, 5 << 20, "partial")


def test_a_long_list_of_large_metadata_is_cut_at_a_key(portal: Portal) -> None:
    """By bytes before the limit: partial, and the cursor goes on at the next key."""
    portal.fill(CACHE, *(put(f"k{number:03}", "", metadata={"note": "n" * 900}) for number in range(120)))
    first = portal.ask("CACHE", limit=120)
    second = portal.ask("CACHE", limit=120, cursor=first.data["nextCursor"])

    assert (first.status, first.data["truncated"]) == ("partial", True)
    assert [f"k{number:03}" for number in range(120)] == [
        each["name"] for each in first.data["keys"] + second.data["keys"]
    ]


def test_the_file_of_a_namespace_is_named_as_wrangler_names_it(portal: Portal) -> None:
    """A Durable Object's id of the namespace's id, beside the blobs."""
    portal.fill(CACHE, put("a", "b"))

    assert portal.file(CACHE).is_file()
    assert Path(STATE, KIND, UNIQUE_KEY) == portal.file(CACHE).parent.relative_to(portal.folder)
