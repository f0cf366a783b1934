"""Migrations are told as wrangler sees them."""

from pathlib import Path

import pytest

from mcp_daan.config import D1
from mcp_daan.d1.databases import Database, find_databases
from mcp_daan.d1.migrations import applied_migrations, migration_files
from mcp_daan.errors import InvalidArguments
from mcp_daan.workspace import Workspace

from .conftest import ID, Portal, contents


def database(portal: Portal) -> Database:
    """The portal's database."""
    return find_databases(Workspace(portal.root), D1())[0]


def test_files_come_in_the_order_of_wrangler(tmp_path: Path) -> None:
    """By leading number, the unnumbered last; other files and folders are passed over."""
    for name in ("10_b.sql", "9_a.sql", "0002_c.sql", "readme.md", "zero.sql", "0002_b.sql", "alpha.sql"):
        (tmp_path / name).write_text("", encoding="utf-8")
    (tmp_path / "0003_folder.sql").mkdir()

    assert migration_files(tmp_path) == ["0002_b.sql", "0002_c.sql", "9_a.sql", "10_b.sql", "alpha.sql", "zero.sql"]


def test_applied_ones_are_read_from_the_table(portal: Portal) -> None:
    """In order of application; reading makes no table."""
    before = contents(portal.root)

    assert applied_migrations(database(portal), seconds=1) == ["0001_init.sql", "0002_invoices.sql"]
    assert before == contents(portal.root)


def test_a_database_without_the_table_or_the_file_knows_of_none(empty: Portal) -> None:
    """Which is not the same as having applied none."""
    without_file = applied_migrations(database(empty), seconds=1)
    empty.fill("CREATE TABLE t(x)")

    assert (without_file, applied_migrations(database(empty), seconds=1)) == (None, None)
    assert [path.name for path in empty.file.parent.iterdir()] == [empty.file.name]


def test_the_table_may_have_another_name(empty: Portal) -> None:
    """`migrations_table` of the binding, whatever it is."""
    entry = {"binding": "DB", "database_name": "portal-db", "database_id": ID}
    empty.bind([{**entry, "migrations_table": 'my "own'}])
    empty.fill(
        'CREATE TABLE "my ""own"(id INTEGER PRIMARY KEY, name TEXT); INSERT INTO "my ""own" VALUES (2, \'b\'), (1, \'a\');'
    )

    assert applied_migrations(database(empty), seconds=1) == ["a", "b"]


def test_a_table_of_another_shape_is_not_wranglers(empty: Portal) -> None:
    """It tells nothing about migrations."""
    empty.fill("CREATE TABLE d1_migrations(x)")

    assert applied_migrations(database(empty), seconds=1) is None


@pytest.mark.parametrize(
    "made",
    [
        "CREATE VIEW d1_migrations AS SELECT 1 AS id, instr(zeroblob(4000000), zeroblob(2000000)) AS name",
        "CREATE TABLE d1_migrations (id, x, name AS (instr(x, zeroblob(2000000)))); INSERT INTO d1_migrations VALUES (1, 'x')",
    ],
)
def test_what_only_looks_like_the_table_is_never_run(empty: Portal, made: str) -> None:
    """A view's statement could hold the server for minutes."""
    empty.fill(made)

    assert applied_migrations(database(empty), seconds=1) is None


@pytest.mark.parametrize(
    "pattern", ["+(a|b).sql", "@(x).sql", "{a,{b,c}}.sql", "{1..3}.sql", "[[:digit:]].sql", "a\\*.sql"]
)
def test_a_pattern_that_is_not_read_here_is_refused(tmp_path: Path, pattern: str) -> None:
    """Rather than read as something else."""
    with pytest.raises(InvalidArguments):
        migration_files(tmp_path, pattern)
