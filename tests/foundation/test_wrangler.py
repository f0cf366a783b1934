"""Wrangler's configuration files are read as wrangler reads them."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_daan.errors import InvalidArguments
from mcp_daan.workspace import Workspace
from mcp_daan.wrangler import Unreadable, dev_vars, read_config, strip_comments

JSONC = """{
  // the portal
  "name": "portal", /* a comment
  over two lines */
  "url": "https://example.test/*not a comment*/",
  "d1_databases": [
    {"binding": "DB", "database_name": "portal-db", "database_id": "id-1",},
    {"binding": "LOGS"}, // no id yet
  ],
  "env": {"production": {"d1_databases": [{"binding": "DB", "database_name": "portal-prod", "database_id": "id-2", "preview_database_id": "id-3"}]}},
}
"""


def test_comments_and_trailing_commas_are_passed_over_and_strings_kept(tmp_path: Path) -> None:
    """JSONC as people write it."""
    path = tmp_path / "wrangler.jsonc"
    path.write_text(JSONC)

    config = read_config(path)

    assert config.values["url"] == "https://example.test/*not a comment*/"
    assert [(each.environment, each.name, each.local_id) for each in config.d1_bindings()] == [
        (None, "portal-db", "id-1"),
        (None, "portal-logs", "LOGS"),
        ("production", "portal-prod", "id-3"),
    ]


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_json_is_left_as_it_is(value: object) -> None:
    """Whatever a string holds is no comment."""
    assert json.loads(strip_comments(json.dumps(value, ensure_ascii=False))) == value


@pytest.mark.parametrize(
    ("name", "text"),
    [("wrangler.jsonc", '{"name": }'), ("wrangler.json", "[]"), ("wrangler.toml", "name = "), ("wrangler.jsonc", "")],
)
def test_a_broken_configuration_is_named_and_breaks_nothing_else(workspace: Path, name: str, text: str) -> None:
    """The other apps are still found."""
    for app, content in (("good", '{"name": "good"}'), ("bad", text)):
        (workspace / app).mkdir()
        (workspace / app / (name if app == "bad" else "wrangler.json")).write_text(content)

    found = Workspace(workspace)

    assert [app.name for app in found.apps] == ["good"]
    assert [error.message.startswith(f"{name} in bad/ could not be read") for error in found.unreadable] == [True]
    with pytest.raises(InvalidArguments):
        read_config(workspace / "bad" / name)


def test_json_wins_over_jsonc_over_toml(workspace: Path) -> None:
    """As in wrangler, which says nothing of the files it ignores."""
    (workspace / "wrangler.toml").write_text('name = "toml"')
    (workspace / "wrangler.jsonc").write_text('{"name": "jsonc"}')

    assert [app.name for app in Workspace(workspace).apps] == ["jsonc"]


def test_dependencies_and_links_are_not_searched(workspace: Path) -> None:
    """A package's own example configuration is not the team's."""
    for folder in ("node_modules/x", "apps/portal"):
        (workspace / folder).mkdir(parents=True)
        (workspace / folder / "wrangler.toml").write_text(f'name = "{folder}"')
    (workspace / "loop").symlink_to(workspace)

    assert [app.name for app in Workspace(workspace).apps] == ["apps/portal"]


def test_dev_vars_are_read_with_quotes_and_comments(tmp_path: Path) -> None:
    """Quotes belong to the file, not to the value."""
    (tmp_path / ".dev.vars").write_text("# local\nA=1\nexport B = \"two words\" # why\nC='x#y'\nD=\nnot a line\n")

    assert dev_vars(tmp_path) == {"A": "1", "B": "two words", "C": "x#y", "D": ""}
    assert dev_vars(tmp_path / "absent") == {}


@pytest.mark.timeout(10)
@pytest.mark.parametrize("between", ["/" * 4000, "/* " * 4000, "," + " \n" * 4000, "//" * 40 + "\n" + "/**/" * 40])
def test_what_looks_like_many_comments_is_read_at_once(between: str) -> None:
    """A ruler of slashes after a comma has endlessly many readings as comments."""
    assert strip_comments(f'{{"a": 1,\n{between}\n"b": 2}}').startswith('{"a": 1')


@pytest.mark.parametrize(
    ("name", "text", "where"),
    [
        ("wrangler.jsonc", '{\n  "name": "a"\n  "main": "b"\n}', " at line 3"),
        ("wrangler.toml", 'name = "a"\nmain = \n', " at line 2"),
        ("wrangler.toml", 'name = "a"\n[vars\n', " at line 2"),
        ("wrangler.json", "[" * 200_000, ""),
        ("wrangler.json", "1" * 5000, ""),
        ("wrangler.json", '{"a": "' + "x" * 2**20 + '"}', ""),
    ],
)
def test_a_broken_configuration_tells_its_line(tmp_path: Path, name: str, text: str, where: str) -> None:
    """Also one that is nested, or grows, beyond what any parser takes."""
    path = tmp_path / name
    path.write_text(text)

    with pytest.raises(Unreadable) as failed:
        read_config(path)

    assert f"could not be read{where}" in failed.value.message
    assert failed.value.line == (int(where.split()[-1]) if where else None)
