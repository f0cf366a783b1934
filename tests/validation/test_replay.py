"""Statements of documents and migrations are run in memory, within bounds."""

import time

import pytest

from mcp_daan.knowledge.validation.replay import replay, same_sql, statements


def run(sql: str, seconds: float = 2) -> tuple[list[str], int]:
    """The names of the tables that *sql* makes, and how many of its statements failed."""
    result = replay(statements(sql), seconds=seconds)
    return [table.name for table in result.tables], len(result.failed)


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE VIRTUAL TABLE t USING fts4(a)",  # a module that D1 does not have
        "CREATE VIRTUAL TABLE temp.t USING dbstat",
        "CREATE TABLE t AS SELECT * FROM pragma_compile_options",
        "CREATE TABLE t AS SELECT randomblob(1000000) FROM (VALUES (1), (2), (3)), (VALUES (1), (2), (3), (4), (5), (6), (7))",
        "CREATE TABLE t (id SERIAL PRIMARY KEY) ENGINE=InnoDB",
    ],
)
def test_a_statement_that_d1_would_not_run_fails_and_the_next_ones_run(sql) -> None:
    """Modules, sizes and dialects of others; nothing stops the rest."""
    assert run(f"{sql}; CREATE TABLE after (id INTEGER)") == (["after"], 1)


def test_a_statement_that_never_ends_is_stopped() -> None:
    """The deadline is kept however little memory it takes."""
    endless = "CREATE TABLE t AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n"
    begin = time.monotonic()

    assert run(endless, seconds=0.2) == ([], 1)
    assert time.monotonic() - begin < 5


def test_only_statements_that_change_a_schema_are_run() -> None:
    """Rows are of no interest, and a broken INSERT is no reason to know nothing."""
    sql = "INSERT INTO nowhere VALUES (1); PRAGMA foreign_keys = ON; CREATE TABLE t (a); SELECT * FROM nowhere; VACUUM"

    assert run(sql) == (["t"], 0)


def test_statements_end_where_sqlite_ends_them() -> None:
    """Not in a text, a comment, a quoted name or the body of a trigger; each knows its line."""
    sql = (
        '-- first; line\nCREATE TABLE "a;b" (x TEXT DEFAULT \';\'); /* ; */\n\nCREATE TRIGGER t AFTER INSERT ON "a;b" BEGIN\n'
        "  UPDATE \"a;b\" SET x = CASE WHEN 1 THEN ';' END;\nEND;\nDROP TABLE [c;d] -- no end"
    )

    assert [(each.line, each.sql.split()[0]) for each in statements(sql)] == [(2, "CREATE"), (4, "CREATE"), (7, "DROP")]
    assert list(statements("  -- nothing; here\n;;\n")) == []


@pytest.mark.parametrize("sign", ["[", '"', "`", "'", "/*", "--", "(", ";", "$"])
def test_signs_that_open_and_never_close_take_no_time(sign) -> None:
    """Whatever stands in a file, reading it ends."""
    begin = time.monotonic()
    list(statements(f"CREATE TABLE a {sign * 200_000}"))

    assert time.monotonic() - begin < 20


def test_many_statements_are_parted_in_time() -> None:
    """A megabyte of data is no reason to wait."""
    begin = time.monotonic()
    count = len(
        list(statements("INSERT INTO t VALUES ('a;b');\n" * 30_000 + "INSERT INTO t VALUES ('" + ";" * 500_000 + "');"))
    )

    assert count == 30_001
    assert time.monotonic() - begin < 10


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("CREATE TABLE a (x TEXT)", 'create  table "a"(\n x text -- note\n)', True),
        ("CREATE TABLE a (x DEFAULT 'A')", "CREATE TABLE a (x DEFAULT 'a')", False),
        ("CREATE TABLE a (x CHECK (x > 1.5))", "CREATE TABLE a (x CHECK (x > '***'))", True),
        ("CREATE TABLE a (x)", "CREATE TABLE a (x, y)", False),
        (None, "CREATE TABLE a (x)", False),
        (None, None, True),
    ],
)
def test_statements_are_compared_by_what_they_mean(one, other, same) -> None:
    """Spacing, comments, quotes of names and case do not count; a masked literal may be any."""
    assert same_sql(one, other) is same
