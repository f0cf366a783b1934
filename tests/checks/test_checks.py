"""What d1_check finds, and what it leaves alone."""

import random
from typing import Any

import pytest

from mcp_daan.d1.health.checks import checked
from mcp_daan.d1.health.examination import CHECKS, DEEP
from mcp_daan.d1.health.soundness import size_found
from tests.asking import run
from tests.checks.conftest import TOOL, Portal
from tests.d1.conftest import code, contents

SOUND = """CREATE TABLE users(id INTEGER PRIMARY KEY, email TEXT UNIQUE, created_at TEXT);
CREATE TABLE notes(id INTEGER PRIMARY KEY, user_id INTEGER REFERENCES users(id), body TEXT);
CREATE INDEX notes_by_user ON notes(user_id);
INSERT INTO users VALUES (1, 'a@example.test', '2026-01-02 03:04:05');
INSERT INTO notes VALUES (1, 1, 'x');
"""


def test_a_sound_database_passes_every_check(empty: Portal) -> None:
    """And reading it leaves no trace."""
    empty.fill(SOUND)
    before = contents(empty.root)
    answer = empty.checked(deep=True)

    assert (answer.status, [each["ok"] for each in answer.data["checks"]]) == ("complete", [True] * 11)
    assert {each["code"] for each in answer.data["checks"]} == {*CHECKS, *DEEP, "migrations", "remote_schema"}
    assert before == contents(empty.root)


def test_what_is_deep_is_left_out_unless_asked(empty: Portal) -> None:
    """The quick check is quick."""
    empty.fill(SOUND)
    answer = empty.checked()
    by_code = {each["code"]: each for each in answer.data["checks"]}

    assert by_code.keys().isdisjoint(DEEP)
    assert "quick_check" in by_code["integrity"]["message"]
    assert "integrity_check" in empty.check("integrity", deep=True)["message"]


@pytest.mark.parametrize(
    ("check", "script", "severity", "detail"),
    [
        (
            "foreign_keys",
            "INSERT INTO notes VALUES (7, 99, 'x'), (8, 98, 'y')",
            "error",
            [{"table": "notes", "parent": "users", "rows": 2, "rowids": [7, 8]}],
        ),
        (
            "foreign_keys",
            "CREATE TABLE a(x); CREATE TABLE b(x REFERENCES a(x)); INSERT INTO b VALUES (1)",
            "error",
            [{"table": "b", "text": "refers to columns that are not unique"}],
        ),
        (
            "orphaned_rows",
            "CREATE TABLE logs(id INTEGER PRIMARY KEY, user_id INTEGER); INSERT INTO logs VALUES (1, 1), (2, 5), (3, NULL)",
            "warning",
            [{"table": "logs", "column": "user_id", "parent": "users", "rows": 1}],
        ),
        (
            "foreign_key_indexes",
            "DROP INDEX notes_by_user; CREATE INDEX other ON notes(body, user_id)",
            "warning",
            [
                {
                    "table": "notes",
                    "columns": ["user_id"],
                    "parent": "users",
                    "sql": 'CREATE INDEX "idx_notes_user_id" ON "notes" ("user_id")',
                }
            ],
        ),
        ("primary_keys", "CREATE TABLE loose(x)", "warning", [{"table": "loose"}]),
        (
            "row_size",
            "INSERT INTO notes VALUES (5, 1, hex(zeroblob(1100000)))",
            "error",
            [{"table": "notes", "rows": 1, "bytes": 2_200_002}],
        ),
        (
            "row_size",
            "INSERT INTO notes VALUES (5, 1, hex(zeroblob(900000)))",
            "warning",
            [{"table": "notes", "rows": 1, "bytes": 1_800_002}],
        ),
        ("dead_columns", "ALTER TABLE users ADD COLUMN nick", "info", [{"table": "users", "column": "nick", "rows": 1}]),
    ],
)  # fmt: skip
def test_a_fault_is_found_with_its_place(
    empty: Portal, check: str, script: str, severity: str, detail: list[dict[str, Any]]
) -> None:
    """As severe as it is."""
    empty.fill(SOUND)
    empty.write(script)
    found = empty.check(check, deep=check in DEEP)

    assert (found["ok"], found["severity"], found["detail"]) == (False, severity, detail)


@pytest.mark.parametrize(
    "script",
    [
        "DROP INDEX notes_by_user; CREATE INDEX more ON notes(user_id, body)",
        "DROP INDEX notes_by_user; CREATE INDEX filled ON notes(user_id) WHERE user_id IS NOT NULL",
        "CREATE TABLE one(id INTEGER PRIMARY KEY REFERENCES users(id))",
        "CREATE TABLE pair(u REFERENCES users(id), n REFERENCES notes(id), PRIMARY KEY (u, n)); CREATE INDEX i ON pair(n)",
        "CREATE TABLE p(a, b, PRIMARY KEY (a, b));"
        " CREATE TABLE c(x, y, FOREIGN KEY (x, y) REFERENCES p(a, b)); CREATE INDEX i ON c(y, x)",
    ],
)
def test_an_index_that_serves_a_foreign_key_is_seen(empty: Portal, script: str) -> None:
    """Whatever form it has."""
    empty.fill(SOUND)
    empty.write(script)

    assert empty.check("foreign_key_indexes")["detail"] is None


def test_a_partial_index_serves_no_foreign_key(empty: Portal) -> None:
    """Unless it holds every row that has a parent."""
    empty.fill(SOUND)
    empty.write("DROP INDEX notes_by_user; CREATE INDEX some ON notes(user_id) WHERE body IS NOT NULL")

    assert empty.check("foreign_key_indexes")["ok"] is False


@pytest.mark.parametrize(
    ("value", "fine"),
    [
        ("'2026-01-02'", True),
        ("'2026-01-02 03:04:05'", True),
        ("'2026-01-02T03:04:05.678Z'", True),
        ("'2026-01-01T23:30:00-05:00'", True),
        ("NULL", True),
        ("'2026-02-30'", False),
        ("'02-01-2026'", False),
        ("'20260102'", False),
        ("'now'", False),
        ("'2451545'", False),
        ("''", False),
        ("'2026-13-01'", False),
        ("1767323045", False),
    ],
)
def test_texts_that_are_no_dates_are_found(empty: Portal, value: str, fine: bool) -> None:
    """And numbers beside texts; the statement finds them."""
    empty.fill(SOUND)
    empty.write(f"INSERT INTO users VALUES (2, 'b', {value})")
    found = empty.check("text_dates", deep=True)

    assert fine == found["ok"]


def test_numbers_alone_are_dates_too(empty: Portal) -> None:
    """Many keep seconds."""
    empty.fill(
        "CREATE TABLE t(id INTEGER PRIMARY KEY, at INTEGER, action TEXT); INSERT INTO t VALUES (1, 1767323045, 'x')"
    )

    assert empty.check("text_dates", deep=True)["ok"] is True


def test_the_statement_finds_the_rows_that_are_counted(empty: Portal) -> None:
    """It can be passed to d1_query as it is."""
    empty.fill(SOUND)
    empty.write("INSERT INTO users VALUES (2, 'b', 'soon'), (3, 'c', 'later')")
    place = empty.check("text_dates", deep=True)["detail"][0]

    assert (place["rows"], len(empty.rows(place["sql"]))) == (2, 2)


@pytest.mark.parametrize(
    ("size", "ok", "severity"),
    [
        (1, True, "info"),
        (450_000_000, False, "warning"),
        (600_000_000, False, "warning"),
        (9_000_000_000, False, "warning"),
        (11_000_000_000, False, "error"),
    ],
)
def test_the_size_is_held_against_both_plans(size: int, ok: bool, severity: str) -> None:
    """500 MB and 10 GB."""
    found = size_found(size)

    assert (ok, severity) == (found.ok, found.severity)


def test_nothing_is_measured_of_a_secret(empty: Portal) -> None:
    """Neither its length, nor whether it is filled, nor whether it is a date."""
    empty.settings('[d1]\nsecret_columns = ["t.secret_at"]\n')
    empty.fill(
        "CREATE TABLE t(id INTEGER PRIMARY KEY, api_token TEXT, secret_at TEXT, empty_token TEXT);"
        " INSERT INTO t VALUES (1, hex(zeroblob(1500000)), 'hush-value', NULL)"
    )
    answer = empty.checked(deep=True)
    told = answer.model_dump_json()

    assert [each["code"] for each in answer.data["checks"] if not each["ok"]] == []
    assert [word for word in ("hush", "api_token", "secret_at", "empty_token", "3000000") if word in told] == []


def test_migrations_are_one_of_the_checks(empty: Portal) -> None:
    """What waits, what is unknown, what was edited."""
    empty.apply("0001_init.sql", "CREATE TABLE a(x INTEGER PRIMARY KEY);")
    applied = empty.check("migrations")
    empty.migration("0002_b.sql", "SELECT 1;")
    pending = empty.check("migrations")
    empty.migration("0001_init.sql", "CREATE TABLE a(x INTEGER PRIMARY KEY, y TEXT);")
    edited = empty.check("migrations")

    assert [(each["ok"], each["severity"]) for each in (applied, pending, edited)] == [
        (True, "info"),
        (False, "warning"),
        (False, "error"),
    ]
    assert edited["detail"] == [{"file": "0001_init.sql"}, {"file": "0002_b.sql"}]


@pytest.mark.parametrize("deep", [False, True])
def test_a_damaged_file_is_a_finding(empty: Portal, deep: bool) -> None:
    """Wherever SQLite still opens it, the call does not fail."""
    empty.fill("CREATE TABLE t(id INTEGER PRIMARY KEY, x TEXT); CREATE INDEX i ON t(x)")
    empty.write(
        "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c LIMIT 3000) INSERT INTO t SELECT n, hex(n) FROM c"
    )
    whole = empty.file.read_bytes()
    noise = random.Random(7)
    for _ in range(10):
        damaged = bytearray(whole)
        start = noise.randrange(4096, len(whole) - 2048)
        damaged[start : start + 2048] = noise.randbytes(2048)
        empty.file.write_bytes(damaged)
        answer = empty.checked(deep=deep)
        codes = [each["code"] for each in answer.data["checks"]]
        found = next(each for each in answer.data["checks"] if each["code"] == "integrity")

        assert len(codes) == len(set(codes))
        assert (answer.error, found["ok"], found["severity"]) == (None, False, "error")


def test_a_damaged_schema_is_a_finding_too(empty: Portal) -> None:
    """SQLite opens the file and cannot read its first page."""
    empty.fill(SOUND)
    damaged = bytearray(empty.file.read_bytes())
    damaged[100:130] = b"\xff" * 30
    empty.file.write_bytes(damaged)
    answer = empty.checked()

    assert answer.error is None
    assert answer.data["checks"][0]["code"] == "integrity"
    assert answer.data["checks"][0]["ok"] is False


def test_a_file_that_is_no_database_fails(empty: Portal) -> None:
    """SQLite does not open it."""
    empty.fill(SOUND)
    empty.file.write_bytes(b"no database at all" * 1000)

    assert code(empty.checked()) == "unavailable"


def test_what_there_is_no_time_for_is_said(empty: Portal) -> None:
    """Each check has its share of the time, and the cheap ones come first."""
    empty.fill("CREATE TABLE t(id INTEGER PRIMARY KEY, x TEXT); CREATE TABLE u(id INTEGER PRIMARY KEY, t_id)")
    empty.write(
        "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c LIMIT 300000) INSERT INTO t SELECT n, hex(n) FROM c"
    )
    database = empty.app.for_call().database("portal-db")
    found = {each.code: each for each in checked(database, deep=True, seconds=0.02, done=lambda *_: None)}

    assert found["database_size"].skipped is False
    assert (found["integrity"].skipped, found["integrity"].ok, found["integrity"].severity) == (True, False, "info")
    assert found.keys() == {*CHECKS, *DEEP}


def test_no_time_makes_the_answer_partial(empty: Portal) -> None:
    """And says how to get more."""
    empty.settings("[limits]\nstatement_seconds = 0.01\n")
    empty.fill("CREATE TABLE t(id INTEGER PRIMARY KEY, x TEXT)")
    empty.write(
        "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c LIMIT 300000) INSERT INTO t SELECT n, hex(n) FROM c"
    )
    answer = empty.checked()

    assert (answer.status, answer.data["partial"]) == ("partial", True)
    assert any("statement_seconds" in each for each in answer.recommendations)


def test_more_places_than_twenty_are_counted(empty: Portal) -> None:
    """The first twenty are named."""
    empty.fill("".join(f"CREATE TABLE loose{number}(x);" for number in range(30)))
    found = empty.check("primary_keys")

    assert (len(found["detail"]), "30 tables" in found["message"]) == (20, True)


def test_findings_come_gravest_first(empty: Portal) -> None:
    """Those that pass come last."""
    empty.fill(SOUND)
    empty.write("CREATE TABLE loose(x); INSERT INTO notes VALUES (9, 99, 'x'); ALTER TABLE users ADD COLUMN nick")
    found = [(each["ok"], each["severity"]) for each in empty.checked(deep=True).data["checks"]]

    assert found[:3] == [(False, "error"), (False, "warning"), (False, "info")]
    assert all(ok for ok, _ in found[3:])


def test_a_missing_file_and_a_remote_database_fail(empty: Portal) -> None:
    """As they do everywhere."""
    empty.settings('[d1.databases.far]\nid = "x"\naccount_id = "y"\n')

    assert code(empty.checked()) == "not_found"
    assert code(empty.checked(database="far")) == "unavailable"
    assert code(run(TOOL, empty.app, {"database": "portal-db", "full": True})) == "invalid_arguments"
