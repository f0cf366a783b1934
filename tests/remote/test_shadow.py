"""The empty copy of a remote schema: what it holds, and what no schema makes it do."""

from pathlib import Path
from typing import Any

import pytest

from mcp_daan.d1.masking.secrets import secret_columns
from mcp_daan.d1.remote.shadow import schema_file, shadow
from mcp_daan.errors import DaanError
from tests.d1_masking.conftest import Vault

LISTED = "SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY rowid"


def names(schema: list[tuple[Any, ...]]) -> set[str]:
    """What the copy of *schema* holds, but for the tables of a full-text index."""
    with shadow(schema, seconds=5) as connection:
        return {str(name) for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE name NOT LIKE 'f%'")}


def table(name: str, sql: str) -> tuple[str, str, str, str]:
    """A row of the schema that says that it is a table."""
    return ("table", name, name, sql)


def test_a_schema_is_declared_whole_and_its_secrets_are_the_same() -> None:
    """Tables, views, indexes, triggers, full-text search, statistics, in whatever order."""
    vault = Vault("first")
    vault.connection.authorizer = None
    schema = vault.connection.execute(LISTED).fetchall()
    for order in (schema, schema[::-1]):
        with shadow(order, seconds=5) as connection:
            declared = set(connection.execute(LISTED).fetchall())
            secrets = secret_columns(connection, ())

        assert {each[1] for each in schema} - {each[1] for each in declared} == {"sqlite_stat4"}
        assert vault.secrets == secrets


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE VIRTUAL TABLE f USING fts5 (x); CREATE TABLE sneaked (a)",
        "CREATE TABLE sneaked (a); DROP TABLE t",
        "DROP TABLE t",
        "ALTER TABLE t RENAME TO sneaked",
        "CREATE TABLE sneaked AS SELECT randomblob(1000000000)",
        "CREATE TEMP TABLE sneaked (a)",
        "ATTACH 'x.db' AS x",
        "SELECT load_extension('x')",
        "",
        "(((",
    ],
)
def test_what_is_more_than_one_create_changes_nothing_else(sql: str, tmp_path: Path, monkeypatch: Any) -> None:
    """The text came over the network."""
    monkeypatch.chdir(tmp_path)

    assert names([table("t", "CREATE TABLE t (a)"), table("odd", sql)]) <= {"t", "sneaked"}
    assert "t" in names([table("t", "CREATE TABLE t (a)"), table("odd", sql)])
    assert ("sneaked" in names([table("odd", sql)])) == sql.startswith("CREATE TABLE sneaked (a)")
    assert list(tmp_path.iterdir()) == []


def test_a_schema_that_takes_too_long_ends_at_the_deadline() -> None:
    """Views upon views, compiled for their columns."""
    views = [("view", "v0", "v0", "CREATE VIEW v0 AS SELECT 1 AS a")]
    for number in range(1, 40):
        text = f"CREATE VIEW v{number} AS SELECT x.a FROM v{number - 1} AS x, v{number - 1} AS y"
        views.append(("view", f"v{number}", f"v{number}", text))

    with pytest.raises(DaanError), shadow(views, seconds=0.5) as connection:
        connection.execute("SELECT * FROM v39").fetchall()


def test_as_a_file_it_lives_as_long_as_it_is_needed() -> None:
    """And is gone after."""
    with schema_file([table("t", "CREATE TABLE t (a)")], seconds=5) as file:
        there = file.stat().st_size > 0

    assert (there, file.exists()) == (True, False)
