"""Every key of a configuration is found at its line, in JSON with comments and in TOML."""

import json
import re
import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_daan.workers.configuration.places import json_places, toml_places, value_at
from mcp_daan.workspace import Workspace
from mcp_daan.wrangler import strip_comments
from tests.workers.planted import CLEAN

NAMES = st.text("abc_é\" \\'.#=[]{},\n\t☃", min_size=1, max_size=5) | st.sampled_from(["a", "b", "name"])
SCALARS = st.booleans() | st.integers(-99, 99) | st.text("ab\"'\\#[]{},=\n ☃", max_size=6)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3), max_leaves=12
)
TABLES = st.dictionaries(NAMES, VALUES, max_size=4)


def paths(value: Any, at: tuple[str | int, ...] = ()) -> set[tuple[str | int, ...]]:
    """The path of each key and item."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return {found for key, each in inner for found in {(*at, key)} | paths(each, (*at, key))}


def inline(value: Any) -> str:
    """*value* as TOML writes it within a line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(key)} = {inline(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list):
        return "[\n" + "".join(f"  {inline(each)}, # item ]\n" for each in value) + "]"
    return json.dumps(value)


def toml(table: dict[str, Any]) -> str:
    """*table* as TOML: scalars first, then tables and lists of tables under headers of their own."""
    plain = {key: each for key, each in table.items() if not isinstance(each, dict) and not tables(each)}
    text = "".join(f"{json.dumps(key)} = {inline(each)} # why\n" for key, each in plain.items())
    for key, each in table.items():
        if isinstance(each, dict):
            text += f"[{json.dumps(key)}]\n" + "".join(f"{json.dumps(k)} = {inline(v)}\n" for k, v in each.items())
        elif tables(each):
            for item in each:
                text += f"[[ {json.dumps(key)} ]]\n" + "".join(
                    f"{json.dumps(k)} = {inline(v)}\n" for k, v in item.items()
                )
    return text


def tables(value: Any) -> bool:
    """Whether *value* is a list of tables, and not an empty one."""
    return isinstance(value, list) and bool(value) and all(isinstance(each, dict) for each in value)


@given(TABLES)
def test_each_key_of_json_has_a_line_and_there_are_no_others(values: dict[str, Any]) -> None:
    """With one key or item a line, so each line is known."""
    text = json.dumps(values, indent=1, ensure_ascii=False)
    places = json_places(text)

    assert {path for path in places.lines if path} == paths(values)
    for path, line in places.lines.items():
        if path and isinstance(path[-1], str):
            assert json.dumps(path[-1], ensure_ascii=False) + ":" in text.split("\n")[line - 1]


@given(TABLES)
def test_each_key_of_toml_has_a_line_and_there_are_no_others(values: dict[str, Any]) -> None:
    """As Python's own parser sees them."""
    text = toml(values)
    places = toml_places(text)

    assert tomllib.loads(text) == values
    assert set(places.lines) == paths(values)
    for path, line in places.lines.items():
        if isinstance(path[-1], str):
            assert json.dumps(path[-1]) in text.split("\n")[line - 1]


def test_headers_dotted_keys_and_lists_of_tables_are_followed() -> None:
    """As people write them in a wrangler.toml."""
    text = (
        "name = 'a'\nobservability.logs.enabled = true\n"
        "[env.production]\nvars = { A = '1', B = { C = 2 } }\n"
        '\n  [[env.production.d1_databases]]\n  binding = "DB" # the data\n'
        "[[env.production.d1_databases]]\nbinding = '''X\n'''\nmore = [1, [\n2,\n3]] \n"
        "[\"quoted.key\".'x']\nat = 1979-05-27 07:32:00\n"
    )
    lines = toml_places(text).lines

    assert paths(tomllib.loads(text)) == set(lines)
    assert {path: lines[path] for path in (
        ("observability", "logs", "enabled"),
        ("env", "production", "vars", "B", "C"),
        ("env", "production", "d1_databases", 0),
        ("env", "production", "d1_databases", 1, "binding"),
        ("env", "production", "d1_databases", 1, "more", 1, 1),
        ("quoted.key", "x", "at"),
    )} == {
        ("observability", "logs", "enabled"): 2,
        ("env", "production", "vars", "B", "C"): 4,
        ("env", "production", "d1_databases", 0): 6,
        ("env", "production", "d1_databases", 1, "binding"): 9,
        ("env", "production", "d1_databases", 1, "more", 1, 1): 13,
        ("quoted.key", "x", "at"): 15,
    }  # fmt: skip


def test_comments_and_trailing_commas_move_no_line() -> None:
    """JSONC as people write it, with Windows' line ends."""
    text = '{\r\n// "a": 1\r\n"b": 1, /* \r\n "c": */\r\n"d": [1, // 2\r\n 3,\r\n],\r\n}\r\n'
    places = json_places(strip_comments(text))

    assert places.lines == {(): 1, ("b",): 3, ("d",): 5, ("d", 0): 5, ("d", 1): 6}


@pytest.mark.parametrize("folder", CLEAN, ids=lambda folder: folder.name)
def test_the_places_of_real_files_are_their_keys(folder: Any) -> None:
    """Each key of each configuration."""
    for app in Workspace(folder).apps:
        text = app.path.read_text()
        places = toml_places(text) if app.path.suffix == ".toml" else json_places(strip_comments(text))

        assert {path for path in places.lines if path} == paths(app.values)
        for path, line in places.lines.items():
            if path and isinstance(path[-1], str) and value_at(app.values, path) is not None:
                assert re.search(re.escape(path[-1]), text.split("\n")[line - 1])
