"""A rehearsal says what the real D1 engine then does."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from mcp_daan.d1.rehearsals.objections import UNKNOWN_HERE
from tests.migrations.conftest import INIT, ROWS, Portal
from tests.node.packages import BIN, installed

HERE = Path(__file__).parent
LONG = "x" * 100_001
# One migration each, as lists of statements.
CASES: dict[str, list[str]] = {
    "a table": ["CREATE TABLE t(x)"],
    "a table twice": ["CREATE TABLE users(x)"],
    "a table if not exists": ["CREATE TABLE IF NOT EXISTS users(x)"],
    "a column": ["ALTER TABLE users ADD COLUMN age INTEGER"],
    "a column twice": ["ALTER TABLE users ADD COLUMN name TEXT"],
    "a column that may not be NULL": ["ALTER TABLE users ADD COLUMN age INTEGER NOT NULL"],
    "a column with a default": ["ALTER TABLE users ADD COLUMN age INTEGER NOT NULL DEFAULT 0"],
    "a column with a moving default": ["ALTER TABLE users ADD COLUMN at TEXT DEFAULT CURRENT_TIMESTAMP"],
    "a unique column": ["ALTER TABLE users ADD COLUMN nick TEXT UNIQUE"],
    "a stored generated column": ["ALTER TABLE users ADD COLUMN lower TEXT AS (lower(email)) STORED"],
    "a virtual generated column": ["ALTER TABLE users ADD COLUMN lower TEXT AS (lower(email)) VIRTUAL"],
    "a reference": ["ALTER TABLE notes ADD COLUMN by INTEGER REFERENCES users(id)"],
    "a reference with a default": ["ALTER TABLE notes ADD COLUMN by INTEGER DEFAULT 1 REFERENCES users(id)"],
    "a column away": ["ALTER TABLE users DROP COLUMN name"],
    "an indexed column away": ["ALTER TABLE notes DROP COLUMN user_id"],
    "a unique column away": ["ALTER TABLE users DROP COLUMN email"],
    "a column renamed": ["ALTER TABLE users RENAME COLUMN name TO label"],
    "a table renamed": ["ALTER TABLE users RENAME TO people"],
    "a table renamed to Cloudflare's": ["ALTER TABLE users RENAME TO _cf_users"],
    "a table of Cloudflare's": ["CREATE TABLE _cf_x(y)"],
    "a table of SQLite's": ["CREATE TABLE sqlite_x(y)"],
    "a table away, its children with it": ["DROP TABLE users"],
    "a table away with children kept": [
        "PRAGMA defer_foreign_keys = on",
        "CREATE TABLE users_new(id INTEGER PRIMARY KEY, email TEXT)",
        "INSERT INTO users_new SELECT id, email FROM users",
        "DROP TABLE users",
        "ALTER TABLE users_new RENAME TO users",
    ],
    "foreign keys off": ["PRAGMA foreign_keys = off", "INSERT INTO notes VALUES (9, 99, 'x')"],
    "a child without parent": ["INSERT INTO notes VALUES (9, 99, 'x')"],
    "a child without parent, for now": [
        "PRAGMA defer_foreign_keys = on",
        "INSERT INTO notes VALUES (9, 99, 'x')",
        "INSERT INTO users VALUES (99, 'z', 'z')",
    ],
    "a unique index over doubles": ["CREATE UNIQUE INDEX one_note ON notes(user_id)"],
    "a double": ["INSERT INTO users VALUES (3, 'a@example.test', 'x')"],
    "a NULL": ["INSERT INTO users VALUES (3, NULL, 'x')"],
    "a check": ["CREATE TABLE c(x CHECK (x > 1))", "INSERT INTO c VALUES (1)"],
    "a strict table": ["CREATE TABLE s(x INTEGER) STRICT", "INSERT INTO s VALUES ('abc')"],
    "a text for an integer key": ["INSERT INTO users VALUES ('abc', 'x', 'x')"],
    "a strict table without types": ["CREATE TABLE s(x) STRICT"],
    "a view": ["CREATE VIEW v AS SELECT name FROM users"],
    "a column away that a view needs": ["CREATE VIEW v AS SELECT name FROM users", "ALTER TABLE users DROP COLUMN name"],
    "a trigger": [
        "CREATE TRIGGER t AFTER INSERT ON users BEGIN INSERT INTO notes VALUES (NULL, new.id, 'hi'); END",
        "INSERT INTO users VALUES (3, 'c', 'c')",
    ],
    "full text": ["CREATE VIRTUAL TABLE f USING fts5(body)", "INSERT INTO f SELECT body FROM notes"],
    "a shadow table by hand": ["CREATE VIRTUAL TABLE f USING fts5(body)", "DELETE FROM f_data"],
    "full text of old": ["CREATE VIRTUAL TABLE f USING fts4(body)"],
    "rectangles": ["CREATE VIRTUAL TABLE r USING rtree(id, a, b)", "INSERT INTO r VALUES (1, 2, 3)"],
    "a temporary table": ["CREATE TEMP TABLE t(x)"],
    "a transaction": ["BEGIN", "CREATE TABLE t(x)", "COMMIT"],
    "a savepoint": ["SAVEPOINT s"],
    "another file": ["ATTACH 'other.db' AS other"],
    "a vacuum": ["VACUUM"],
    "a vacuum into a file": ["VACUUM INTO 'copy.db'"],
    "statistics": ["ANALYZE"],
    "optimize": ["PRAGMA optimize"],
    "an index made anew": ["REINDEX"],
    "a journal": ["PRAGMA journal_mode = DELETE"],
    "a version": ["PRAGMA user_version = 3"],
    "the schema by hand": ["PRAGMA writable_schema = on"],
    "the schema's table": ["UPDATE sqlite_master SET sql = ''"],
    "checks off": ["PRAGMA ignore_check_constraints = on"],
    "the old way to alter": ["PRAGMA legacy_alter_table = on"],
    "a function that D1 lacks": ["CREATE TABLE t AS SELECT sqlite_version() AS v"],
    "a table from a query": ["CREATE TABLE t AS SELECT * FROM users"],
    "a syntax error": ["CREATE TABEL t(x)"],
    "no such table": ["INSERT INTO absent VALUES (1)"],
    "no such column": ["UPDATE users SET absent = 1"],
    "too few values": ["INSERT INTO users VALUES (1)"],
    "a hundred columns": [f"CREATE TABLE t({', '.join(f'c{n}' for n in range(100))})"],
    "more than a hundred columns": [f"CREATE TABLE t({', '.join(f'c{n}' for n in range(101))})"],
    "a statement too long": [f"INSERT INTO users VALUES (3, '{LONG}', 'x')"],
    "a long file of short statements": ["CREATE TABLE t(x)", *[f"INSERT INTO t VALUES ('{'y' * 60_000}')"] * 3],
    "six terms": ["CREATE TABLE t AS " + " UNION ALL ".join(["SELECT 1 AS x"] * 6)],
    "many rows of values": ["CREATE TABLE t(x)", "INSERT INTO t VALUES " + ", ".join(["(1)"] * 600)],
    "a parameter": ["INSERT INTO users VALUES (3, ?, 'x')"],
    "double quotes for a text": ['INSERT INTO users VALUES (3, "three", "x")'],
    "double quotes in a definition": ['CREATE TABLE t(x DEFAULT "a")', "CREATE VIEW w AS SELECT \"abc\" AS y"],
    "an upsert": ["INSERT INTO users VALUES (1, 'n', 'n') ON CONFLICT(id) DO UPDATE SET name = 'n'"],
    "a replacement, its children with it": ["REPLACE INTO users VALUES (1, 'a@example.test', 'n')"],
    "rows away": ["DELETE FROM notes"],
    "rows of the record": ["DELETE FROM d1_migrations"],
    "rows back": ["UPDATE users SET name = 'x' RETURNING id"],
    "a select": ["SELECT * FROM users"],
}  # fmt: skip
# D1's SQLite has an option that ours lacks; a rehearsal says so.
DIFFERENT = {"a limited delete": ["DELETE FROM notes ORDER BY id LIMIT 1"]}
BEFORE = {"users": 2, "notes": 3}


@pytest.fixture(scope="module")
def real() -> dict[str, list[dict[str, Any]]]:
    """What D1 answers to each case: the migration first, then how many rows each table has."""
    before = [*INIT.split(";\n"), *ROWS.split(";\n"), "CREATE TABLE d1_migrations(id INTEGER PRIMARY KEY, name TEXT)"]
    setup = [each for each in before if each.strip()]
    lines = [
        json.dumps(
            {"database": f"DB{place}", "batches": [setup, case, *([f"SELECT count(*) AS n FROM {t}"] for t in BEFORE)]}
        )
        for place, case in enumerate((CASES | DIFFERENT).values())
    ]
    done = subprocess.run(
        [BIN / "node", HERE / "batches.mjs", installed("engine"), str(len(lines))],
        input="\n".join(lines) + "\n",
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert done.returncode == 0, done.stderr
    return dict(zip(CASES | DIFFERENT, map(json.loads, done.stdout.splitlines()), strict=True))


@pytest.mark.parametrize("case", CASES)
def test_a_migration_fails_in_rehearsal_where_it_fails_in_d1(portal: Portal, real: dict[str, Any], case: str) -> None:
    """And where it succeeds, it loses the rows that D1 loses."""
    portal.migration("0002_case.sql", ";\n".join(CASES[case]) + ";\n")
    setup, outcome, *counts = real[case]
    rehearsal = portal.rehearsal()
    left = [each["rows"][0]["n"] if "rows" in each else 0 for each in counts]
    lost = {name: now for (name, before), now in zip(BEFORE.items(), left, strict=True) if now < before}

    assert "error" not in setup
    assert ("error" not in outcome) == rehearsal["ok"], (outcome, rehearsal)
    if rehearsal["ok"] and case != "a table renamed":
        assert lost == {each["table"]: each["after"] for each in rehearsal["rowsLost"]}


@pytest.mark.parametrize("case", DIFFERENT)
def test_what_only_d1_can_run_is_told(portal: Portal, real: dict[str, Any], case: str) -> None:
    """A statement that our SQLite lacks is no fault of the migration."""
    portal.migration("0002_case.sql", ";\n".join(DIFFERENT[case]) + ";\n")
    rehearsal = portal.rehearsal()

    assert "error" not in real[case][1]
    assert (rehearsal["ok"], rehearsal["error"]) == (False, UNKNOWN_HERE)
