"""A rehearsal tells what would happen, and touches nothing."""

import sqlite3
import time
from pathlib import Path

import pytest

from mcp_daan.d1 import apart
from mcp_daan.d1.rehearsals.rehearsal import GONE, rehearsed
from tests.d1.conftest import contents
from tests.migrations.conftest import INIT, Portal


def test_the_source_is_left_as_it_is(portal: Portal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not one byte of the workspace, nor of the folder worked in, nor of the one for temporary files."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    monkeypatch.setattr("tempfile.tempdir", None)
    monkeypatch.chdir(portal.file.parent)
    portal.migration("0002_b.sql", "ATTACH 'made.db' AS made; CREATE TABLE made.t(x);")
    portal.migration("0003_c.sql", "VACUUM INTO 'copy.db';")
    before = contents(portal.root)
    first = portal.rehearsal()
    portal.migration("0002_b.sql", "DELETE FROM users; DROP TABLE notes; CREATE TABLE t AS SELECT * FROM users;")
    changed = contents(portal.root)
    second = portal.rehearsal()

    assert (first["code"], "reach outside" in first["error"]) == ("SQLITE_AUTH", True)
    assert (first["failedFile"], second["failedFile"]) == ("0002_b.sql", "0003_c.sql")
    assert before.keys() == contents(portal.root).keys()
    assert changed == contents(portal.root)
    assert list(temporary.iterdir()) == []


def test_what_a_writer_has_in_its_log_is_rehearsed_too(portal: Portal) -> None:
    """And its log stays."""
    writer = sqlite3.connect(portal.file)
    writer.execute("PRAGMA journal_mode = WAL")
    writer.execute("INSERT INTO users VALUES (3, 'c@example.test', 'Cas')")
    writer.commit()
    portal.migration("0002_b.sql", "DELETE FROM users WHERE id = 3;")
    told = portal.rehearsal()
    after = writer.execute("SELECT count(*) FROM users").fetchone()
    writer.close()

    assert told["rowsLost"] == [{"table": "users", "before": 3, "after": 2, "dropped": False}]
    assert after == (3,)


def test_the_first_failure_ends_it_and_is_named_with_its_line(portal: Portal) -> None:
    """The files before it are kept, its own statements rolled back."""
    portal.migration("0002_b.sql", "CREATE TABLE b(x);")
    portal.migration("0003_c.sql", "CREATE TABLE c(x);\n\n-- why\nINSERT INTO users\nVALUES (1, 'n', 'n');\n")
    portal.migration("0004_d.sql", "CREATE TABLE d(x);")
    told = portal.rehearsal()

    assert (told["ok"], told["failedFile"], told["line"]) == (False, "0003_c.sql", 4)
    assert (told["code"], told["error"]) == (
        "SQLITE_CONSTRAINT_PRIMARYKEY",
        "UNIQUE fails: rows would be alike in users.id",
    )
    assert told["schemaDiff"] == ["added table b (x)"]
    assert [(each["file"], each["ok"]) for each in told["files"]] == [("0002_b.sql", True), ("0003_c.sql", False)]


@pytest.mark.parametrize(
    ("sql", "line"),
    [
        ("SELECT 1;\nSELECT absent FROM users;\nSELECT 1;", 2),
        ("SELECT 1;\nALTER TABLE users ADD COLUMN x TEXT NOT NULL;\nSELECT 1;", 2),
        ("SELECT 1;\nSELECT 1;\n/* a;\nb */ SELEC 1;", 4),
        ("absent", 1),
        ("SELECT 1;\n\nDELETE FROM users WHERE absent = ';'", 3),
        ("SELECT 'é;\n';\nSELECT absent;", 3),
    ],
)
def test_the_line_is_that_of_the_statement_that_fails(portal: Portal, sql: str, line: int) -> None:
    """Be it that it cannot be prepared, or fails while it runs."""
    portal.migration("0002_b.sql", sql)

    assert (False, line) == (portal.rehearsal()["ok"], portal.rehearsal()["line"])


def test_a_last_statement_without_semicolon_runs_into_wranglers_own(portal: Portal) -> None:
    """Which fails in D1 too, and says why."""
    portal.migration("0002_b.sql", "CREATE TABLE b(x)")
    told = portal.rehearsal()

    assert (told["ok"], told["line"]) == (False, 1)
    assert "lacks its semicolon" in told["error"]


def test_deferred_references_are_judged_at_the_end(portal: Portal) -> None:
    """The tables are named, with how many rows."""
    portal.migration(
        "0002_b.sql", "PRAGMA defer_foreign_keys = on;\nINSERT INTO notes VALUES (8, 98, ''), (9, 99, '');"
    )
    told = portal.rehearsal()

    assert told["line"] is None
    assert told["error"] == "FOREIGN KEY fails: 2 of notes would refer to users rows that are not there"


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO users SELECT 7, 'hush-value', 1 UNION ALL SELECT 8, 'hush-value', 1;",
        "CREATE TABLE t(x CHECK (x <> 'hush-value')); INSERT INTO t VALUES ('hush-value');",
        "CREATE TRIGGER t BEFORE INSERT ON notes BEGIN SELECT RAISE(ABORT, 'no such table: hush-value'); END;"
        " INSERT INTO notes VALUES (7, 1, '');",
        "CREATE TABLE t(x INTEGER) STRICT; INSERT INTO t VALUES ('hush-value');",
        "SELECT json_extract('hush-value', '$');",
        "SELECT 1 + json('hush-value');",
        "CREATE VIRTUAL TABLE f USING fts5(x); SELECT * FROM f WHERE f MATCH 'hush-value AND';",
    ],
)
def test_no_value_is_in_what_is_told_of_a_failure(portal: Portal, sql: str) -> None:
    """Only names, and our own words."""
    portal.migration("0002_b.sql", sql)
    answer = portal.state(rehearse=True)

    assert answer.data["rehearsal"]["ok"] is False
    assert "hush" not in answer.model_dump_json()


def test_a_table_made_anew_takes_its_children_with_it(portal: Portal) -> None:
    """The trap of D1: foreign keys are on, and DROP TABLE deletes what cascades."""
    portal.migration(
        "0002_b.sql",
        "CREATE TABLE new(id INTEGER PRIMARY KEY, email TEXT NOT NULL);\nINSERT INTO new SELECT id, email FROM users;\n"
        "DROP TABLE users;\nALTER TABLE new RENAME TO users;\n",
    )
    answer = portal.state(rehearse=True)
    told = answer.data["rehearsal"]

    assert told["ok"] is True
    assert told["rowsLost"] == [{"table": "notes", "before": 3, "after": 0, "dropped": False}]
    assert told["valuesLost"] == [{"table": "users", "column": "name", "values": 1}]
    assert told["schemaDiff"] == ["removed column users.name", "removed of users: unique email"]
    assert "1 table loses rows" in answer.summary


@pytest.mark.parametrize(
    ("sql", "diff"),
    [
        ("ALTER TABLE users RENAME TO people;", ["renamed table users to people"]),
        ("ALTER TABLE main.\"users\" RENAME COLUMN name TO label;", ["renamed column users.name to label"]),
        ("ALTER TABLE users RENAME name TO a; ALTER TABLE users RENAME a TO b;", ["renamed column users.name to b"]),
        ("DROP INDEX notes_by_user;", ["removed index notes_by_user on notes"]),
        ("CREATE UNIQUE INDEX u ON users(name);", ["added index u on users"]),
        ("DROP INDEX notes_by_user; CREATE INDEX notes_by_user ON notes(user_id, id);", ["changed index notes_by_user on notes"]),
        ("ALTER TABLE users ADD COLUMN s TEXT DEFAULT 'hush';", ["added column users.s TEXT DEFAULT"]),
        ("CREATE VIEW v AS SELECT id FROM users;", ["added view v (id)"]),
        ("DROP TABLE notes;", ["removed table notes", "removed index notes_by_user on notes"]),
        ("CREATE TABLE x(y); DROP TABLE x;", []),
    ],
)  # fmt: skip
def test_the_schema_that_it_gives_is_told_in_lines(portal: Portal, sql: str, diff: list[str]) -> None:
    """One for each table, column and index that came, went or changed; never a default's value."""
    portal.migration("0002_b.sql", sql)

    assert diff == [each for each in portal.rehearsal()["schemaDiff"] if "foreign key" not in each]


def test_a_renamed_table_loses_nothing(portal: Portal) -> None:
    """Neither its rows nor its values."""
    portal.migration(
        "0002_b.sql", "ALTER TABLE users RENAME TO people; ALTER TABLE people RENAME COLUMN name TO label;"
    )
    told = portal.rehearsal()

    assert (told["rowsLost"], told["valuesLost"]) == ([], [])


@pytest.mark.parametrize(
    "sql",
    [
        "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) INSERT INTO notes SELECT NULL, 1, x FROM c;",
        "SELECT instr(printf('%.*c', 4000000, 'a'), printf('%.*c', 2000000, 'a') || 'b');",
    ],
)
def test_a_migration_without_end_is_ended(portal: Portal, sql: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Even inside one opcode that no handler stops, and by itself, should whoever started it be slow to."""
    monkeypatch.setattr(apart, "GRACE_SECONDS", 60)
    portal.migration("0002_b.sql", sql)
    database = portal.app.for_call().database("portal-db")
    started = time.monotonic()
    told, _ = rehearsed(database, [("0002_b.sql", sql)], done=lambda *_: None, seconds=1)

    assert (told.ok, told.failed_file) == (False, "0002_b.sql")
    assert told.error == GONE or "30 seconds" in str(told.error)
    assert time.monotonic() - started < 4


def test_a_migration_that_needs_more_memory_than_there_is_fails(portal: Portal) -> None:
    """Its process is bounded."""
    sql = "CREATE TABLE t AS WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c LIMIT 200)"
    portal.migration("0002_b.sql", f"{sql} SELECT group_concat(hex(zeroblob(1900000))) AS y FROM c;")
    told = portal.rehearsal()

    assert (told["ok"], told["failedFile"]) == (False, "0002_b.sql")


def test_of_a_database_too_large_to_copy_the_schema_is_rehearsed(portal: Portal) -> None:
    """It says so, and knows the record of what is applied."""
    database = portal.app.for_call().database("portal-db")
    told, whole = rehearsed(
        database, [("0002.sql", "DELETE FROM users; DROP TABLE users;")], done=lambda *_: None, copy_bytes=1
    )

    assert (told.ok, told.data, told.rows_lost, whole) == (True, "schema", [], False)
    assert told.schema_diff == ["removed table users"]


def test_each_file_is_one_step_of_progress(portal: Portal) -> None:
    """So that a client sees where it is."""
    database = portal.app.for_call().database("portal-db")
    seen: list[tuple[int, str]] = []
    rehearsed(database, [("a", "SELECT 1;"), ("b", "SELECT 1;")], done=lambda *step: seen.append(step))

    assert seen == [(1, "a"), (2, "b")]


def test_rows_that_change_are_counted(fresh: Portal) -> None:
    """Without wrangler's own."""
    fresh.apply("0001_init.sql", INIT)
    fresh.migration("0002_b.sql", "INSERT INTO users VALUES (1, 'a', 'a'), (2, 'b', 'b'); UPDATE users SET name = 'x';")

    assert [(each["statements"], each["rowsChanged"]) for each in fresh.rehearsal()["files"]] == [(2, 4)]
