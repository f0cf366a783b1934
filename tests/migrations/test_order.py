"""Files are found and ordered as wrangler does it."""

from pathlib import Path

import pytest

from mcp_daan.d1.migrations import duplicates, gaps, migration_files, out_of_order
from tests.migrations.conftest import INIT, Portal


def write(folder: Path, *names: str) -> None:
    """Empty files."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("", encoding="utf-8")


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("*.sql", ["0001_a.sql", "0002_b.up.sql", "a.sql"]),
        ("*.up.sql", ["0002_b.up.sql"]),
        ("*/migration.sql", ["0000_init/migration.sql", "0010_users/migration.sql"]),
        ("sub/*.sql", ["sub/3.sql"]),
        ("**/*.sql", ["0000_init/migration.sql", "0001_a.sql", "0002_b.up.sql", "0010_users/migration.sql", "a.sql", "sub/3.sql"]),
        ("{0001_a,a}.sql", ["0001_a.sql", "a.sql"]),
        ("000[1-9]_?.sql", ["0001_a.sql"]),
        ("[!0]*.sql", ["a.sql"]),
        ("../other/*.sql", []),
        ("*.txt", ["0003_c.txt"]),
    ],
)  # fmt: skip
def test_the_pattern_says_what_a_migration_is(tmp_path: Path, pattern: str, found: list[str]) -> None:
    """A glob relative to the folder, which passes over hidden names."""
    write(
        tmp_path, "0001_a.sql", "0002_b.up.sql", "0003_c.txt", "a.sql", ".hidden.sql", ".git/1.sql", "sub/3.sql",
        "0010_users/migration.sql", "0000_init/migration.sql",
    )  # fmt: skip

    assert found == migration_files(tmp_path, pattern)


def test_numbers_are_compared_as_numbers_in_each_part_of_the_path(tmp_path: Path) -> None:
    """Numbered before unnumbered, ties by name."""
    write(tmp_path, "10_a/2.sql", "10_a/10.sql", "9_b/x.sql", "z/1.sql", "1_a/b.sql", "1_a/B.sql")
    expected = ["1_a/B.sql", "1_a/b.sql", "9_b/x.sql", "10_a/2.sql", "10_a/10.sql", "z/1.sql"]

    assert expected == migration_files(tmp_path, "*/*.sql")


def test_links_are_no_migrations(tmp_path: Path) -> None:
    """Neither a link to a file nor what lies behind a link to a folder."""
    write(tmp_path / "outside", "1.sql")
    (tmp_path / "inside").mkdir()
    (tmp_path / "inside/2.sql").symlink_to(tmp_path / "outside/1.sql")
    (tmp_path / "inside/3").symlink_to(tmp_path / "outside")

    assert migration_files(tmp_path / "inside", "**/*.sql") == []


def test_numbers_used_twice_are_told() -> None:
    """Files of one folder share its number rightly."""
    names = ["0001_a.sql", "0002_b.sql", "0002_c.sql", "0003_d/1.sql", "0003_d/2.sql", "x.sql"]

    assert duplicates(names) == [["0002_b.sql", "0002_c.sql"]]


@pytest.mark.parametrize(
    ("names", "missing"),
    [
        (["0001_a", "0002_b", "0004_c", "0005_d"], [3]),
        (["0010_a", "0020_b", "0030_c"], []),
        (["20260101120000_a", "20260102120000_b"], []),
        (["a", "b"], []),
        ([], []),
    ],
)
def test_missing_numbers_are_told_where_they_are_counted(names: list[str], missing: list[int]) -> None:
    """Not between dates, nor steps of ten."""
    assert missing == gaps(names)


def test_what_waits_before_something_applied_is_out_of_order() -> None:
    """As after a merge of two branches."""
    assert out_of_order(["1", "2", "3", "4"], ["1", "3"]) == ["2"]
    assert out_of_order(["1", "2"], []) == []


def test_the_bindings_pattern_is_used(fresh: Portal) -> None:
    """Names are recorded relative to `migrations_dir`, as drizzle's folders are."""
    bind = {"binding": "DB", "database_name": "portal-db", "database_id": "11111111-2222-3333-4444-555555555555"}
    fresh.bind([{**bind, "migrations_dir": "migrations", "migrations_pattern": "./migrations/*/migration.sql"}])
    fresh.apply("0000_init/migration.sql", INIT)
    fresh.migration("0001_next/migration.sql", "CREATE TABLE t(x);")
    fresh.migration("0002_not.sql", "")
    data = fresh.state().data

    assert (data["applied"], data["pending"]) == (["0000_init/migration.sql"], ["0001_next/migration.sql"])


def test_a_pattern_beside_the_folder_is_told(fresh: Portal) -> None:
    """Wrangler refuses it."""
    bind = {"binding": "DB", "database_name": "portal-db", "database_id": "11111111-2222-3333-4444-555555555555"}
    fresh.bind([{**bind, "migrations_dir": "migrations", "migrations_pattern": "schema/*.sql"}])
    fresh.migration("0001.sql", "")
    answer = fresh.state()

    assert answer.data["pending"] == []
    assert any("wrangler refuses it" in each for each in answer.recommendations)


def test_drizzles_folders_without_their_pattern_are_told(fresh: Portal) -> None:
    """Wrangler would find nothing."""
    fresh.migration("0000_init/migration.sql", INIT)
    answer = fresh.state()

    assert answer.data["pending"] == []
    assert any("migrations_pattern" in each for each in answer.recommendations)
