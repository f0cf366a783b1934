"""Settings: file, environment over it, and errors that name the key."""

from pathlib import Path

import pytest

from mcp_daan.config import Settings, now, read_settings
from mcp_daan.errors import InvalidArguments


def test_without_a_file_the_defaults_hold(workspace: Path) -> None:
    """A workspace needs no daan.toml."""
    assert read_settings(workspace, {}) == Settings()


def test_the_file_is_read_and_the_environment_stands_over_it(workspace: Path) -> None:
    """`DAAN_SECTION_KEY` overrides `[section] key`."""
    (workspace / "daan.toml").write_text(
        '[limits]\nstatement_seconds = 2\nmax_answer_bytes = 9000\n[knowledge]\npath = "kennis"\n'
    )

    settings = read_settings(
        workspace, {"DAAN_LIMITS_STATEMENT_SECONDS": "3.5", "DAAN_D1_SECRET_COLUMNS": "a.b, c", "DAAN_NOW": "x"}
    )

    assert settings.limits.statement_seconds == 3.5
    assert settings.limits.max_answer_bytes == 9000
    assert settings.knowledge.path == "kennis"
    assert settings.d1.secret_columns == ["a.b", "c"]


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[knowledge]\npaht = 'x'\n", "`knowledge.paht` is not a known setting"),
        ("[nonsense]\n", "`nonsense` is not a known setting"),
        ("[limits]\nstatement_seconds = 'fast'\n", "`limits.statement_seconds` is wrong"),
        ("[limits]\nmax_answer_bytes = 10\n", "`limits.max_answer_bytes` is wrong"),
        ("[d1.databases.x]\nfile = 'y'\n", "`d1.databases.x.file` is not a known setting"),
        ("[tokens]\nkey = 'abc'\n", "`tokens.key` is not a known setting"),
        ("[limits\n", "is not valid TOML (at line 1"),
    ],
)
def test_a_wrong_file_names_its_key(workspace: Path, text: str, named: str) -> None:
    """The reader learns which key, and no value is repeated."""
    (workspace / "daan.toml").write_text(text)

    with pytest.raises(InvalidArguments) as caught:
        read_settings(workspace, {})
    assert named in caught.value.message
    assert "abc" not in caught.value.message


def test_a_file_that_is_not_utf8_is_said_so(workspace: Path) -> None:
    """No traceback, and the file is named."""
    (workspace / "daan.toml").write_bytes(b"\xff\xfe")

    with pytest.raises(InvalidArguments, match="UTF-8"):
        read_settings(workspace, {})


@pytest.mark.parametrize(
    "variables", [{"DAAN_LIMITS_STATEMENT_SECONDS": "soon"}, {"DAAN_LIMITS_SECONDS": "1"}, {"DAAN_READONLY": "1"}]
)
def test_a_wrong_variable_is_named(workspace: Path, variables: dict[str, str]) -> None:
    """A misspelt variable is an error, not ignored."""
    with pytest.raises(InvalidArguments) as caught:
        read_settings(workspace, variables)
    assert next(iter(variables)) in caught.value.message


def test_a_variable_that_was_not_filled_in_counts_as_absent(workspace: Path) -> None:
    """Some clients pass `${NAME}` through when NAME is not set."""
    assert read_settings(workspace, {"DAAN_LIMITS_STATEMENT_SECONDS": "${SECONDS}"}) == Settings()


def test_the_clock_can_be_fixed() -> None:
    """`DAAN_NOW` is an ISO date, taken as UTC without a zone."""
    assert now({"DAAN_NOW": "2026-11-22T12:00:00"}).isoformat() == "2026-11-22T12:00:00+00:00"
    with pytest.raises(InvalidArguments):
        now({"DAAN_NOW": "yesterday"})
