"""A copy of a database in memory, where indexes can be tried: the file itself is never written."""

import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress

import apsw

from mcp_daan.d1.explaining.candidates import Candidate, plain
from mcp_daan.d1.guard import harden
from mcp_daan.d1.masking.catalog import unguarded
from mcp_daan.sqlite_files import OPS_BETWEEN_LOOKS

# It has to fit into the worker's memory with an index and a sorter beside it.
COPY_BYTES = 64 << 20
_STATISTICS = "SELECT count(*) FROM main.sqlite_schema WHERE name = 'sqlite_stat1'"


def fits(source: apsw.Connection) -> bool:
    """Whether a copy of *source* fits into memory."""
    with unguarded(source) as cursor:
        pages = cursor.execute("SELECT page_count FROM pragma_page_count").get
        size = cursor.execute("SELECT page_size FROM pragma_page_size").get
    return int(pages) * int(size) <= COPY_BYTES


def interrupt(connection: apsw.Connection, until: float) -> None:
    """Interrupt what runs on *connection* when the clock passes *until*."""
    connection.set_progress_handler(lambda: time.monotonic() >= until, OPS_BETWEEN_LOOKS)


@contextmanager
def copied(source: apsw.Connection, *, rows: bool, until: float) -> Iterator[apsw.Connection]:
    """A copy of *source*, or of its schema and statistics only; it is interrupted when the clock passes *until*."""
    with closing(apsw.Connection(":memory:", statementcachesize=0)) as connection:
        interrupt(connection, until)
        if rows:
            with connection.backup("main", source, "main") as backup:
                while not backup.done:
                    backup.step(1000)
                    if time.monotonic() >= until:
                        raise apsw.InterruptError("the copy takes too long")
        else:
            _declare(source, connection)
        harden(connection)
        connection.execute("PRAGMA temp_store = 2; PRAGMA query_only = 1")
        yield connection


@contextmanager
def built(connection: apsw.Connection, candidate: Candidate) -> Iterator[None]:
    """*candidate* in a copy, with statistics where the database has them."""
    try:
        with _writing(connection) as cursor:
            cursor.execute(candidate.sql)
            if cursor.execute(_STATISTICS).get and _holds_rows(cursor):
                # D1 knows no samples, and a planner that has them chooses otherwise.
                cursor.execute(f"ANALYZE main.{plain(candidate.name)}; DROP TABLE IF EXISTS main.sqlite_stat4")
                cursor.execute("ANALYZE main.sqlite_schema")
        yield
    finally:
        with _writing(connection) as cursor:
            cursor.execute(f"DROP INDEX IF EXISTS main.{plain(candidate.name)}")


@contextmanager
def _writing(connection: apsw.Connection) -> Iterator[apsw.Cursor]:
    with unguarded(connection) as cursor:
        cursor.execute("PRAGMA query_only = 0")
        try:
            yield cursor
        finally:
            cursor.execute("PRAGMA query_only = 1")


def _holds_rows(cursor: apsw.Cursor) -> bool:
    return bool(cursor.execute("SELECT count(*) FROM main.sqlite_stat1").get)


def _declare(source: apsw.Connection, connection: apsw.Connection) -> None:
    """The schema of *source* without its rows, and its statistics."""
    with unguarded(source) as cursor:
        schema = cursor.execute("SELECT sql FROM main.sqlite_schema WHERE sql IS NOT NULL ORDER BY rowid").fetchall()
        statistics = []
        with suppress(apsw.SQLError):  # there are none
            statistics = cursor.execute("SELECT tbl, idx, stat FROM main.sqlite_stat1").fetchall()
    for (sql,) in schema:
        with suppress(apsw.Error):  # shadow tables come with their own, others cannot be declared at all
            connection.execute(str(sql))
    if statistics:
        connection.execute("ANALYZE")
        connection.executemany("INSERT INTO sqlite_stat1 VALUES (?, ?, ?)", statistics)
        connection.execute("ANALYZE sqlite_schema")
