"""An empty local copy of a remote database: what a statement means is judged there, before it is sent."""

import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import apsw

from mcp_daan.d1.failures import in_our_words
from mcp_daan.d1.guard import harden, internal
from mcp_daan.d1.masking.words import tokens
from mcp_daan.sqlite_files import OPS_BETWEEN_LOOKS

SECOND = {"index", "trigger"}
# What making an empty table or index may ask for: nothing that runs a query.
REFUSED = {apsw.SQLITE_SELECT, apsw.SQLITE_ATTACH, apsw.SQLITE_DETACH, apsw.SQLITE_PRAGMA}


@contextmanager
def shadow(
    schema: Sequence[Sequence[Any]], *, seconds: float, statistics: Sequence[Sequence[Any]] = ()
) -> Iterator[apsw.Connection]:
    """An empty database in memory with that *schema*, D1's limits and a deadline, not yet guarded.

    *statistics* are the rows of sqlite_stat1, by which its planner chooses as D1's does. What cannot be declared is left out, so that no statement can name it; failures come in our own words.
    """
    deadline = time.monotonic() + seconds
    with in_our_words(), closing(apsw.Connection(":memory:", statementcachesize=0)) as connection:
        connection.set_progress_handler(lambda: time.monotonic() >= deadline, OPS_BETWEEN_LOOKS)
        harden(connection)
        _declare(connection, [each for each in schema if not internal(each[1])])
        if statistics and _is_there(connection, "sqlite_stat1"):
            connection.executemany("INSERT INTO main.sqlite_stat1 VALUES (?, ?, ?)", statistics)
            connection.execute("ANALYZE main.sqlite_schema")
        connection.execute("PRAGMA temp_store = 2; PRAGMA foreign_keys = 1; PRAGMA query_only = 1")
        yield connection


@contextmanager
def schema_file(schema: Sequence[Sequence[Any]], *, seconds: float) -> Iterator[Path]:
    """The same as a file, for as long as it is needed."""
    with tempfile.TemporaryDirectory(prefix="mcp-daan-") as folder, shadow(schema, seconds=seconds) as connection:
        file = Path(folder) / "schema.sqlite"
        with closing(apsw.Connection(str(file))) as copy, copy.backup("main", connection, "main") as backup:
            backup.step()
        yield file


def _declare(connection: apsw.Connection, schema: Sequence[Sequence[Any]]) -> None:
    """Virtual tables first, since they make tables of their own; indexes and triggers when all tables are there."""
    for kind, name, _, sql in sorted(schema, key=_turn):
        if sql is None or name.lower().startswith("sqlite_") or _is_there(connection, name):
            continue
        with suppress(apsw.Error), _making(connection, kind, sql) as cursor:
            cursor.execute(sql)
    if any(name == "sqlite_stat1" for _, name, *_ in schema):
        connection.execute("ANALYZE; DROP TABLE IF EXISTS main.sqlite_stat4")


def _turn(each: Sequence[Any]) -> int:
    kind, _, _, sql = each
    return 0 if _is_virtual(sql) else 2 if kind in SECOND else 1


def _is_virtual(sql: str | None) -> bool:
    return sql is not None and [token.word for token in tokens(sql)[:2]] == ["CREATE", "VIRTUAL"]


def _is_there(connection: apsw.Connection, name: str) -> bool:
    found = connection.execute("SELECT 1 FROM main.sqlite_schema WHERE lower(name) = lower(?)", (name,))
    return found.fetchone() is not None


@contextmanager
def _making(connection: apsw.Connection, kind: str, sql: str) -> Iterator[apsw.Cursor]:
    """A cursor that runs one CREATE and nothing else: the text came over the network."""
    begun: list[str] = []

    def once(cursor: apsw.Cursor, statement: str, bindings: object) -> bool:
        begun.append(statement)
        return len(begun) == 1 and tokens(statement)[0].word == "CREATE"

    def narrow(action: int, *_: object) -> int:
        return apsw.SQLITE_DENY if action in REFUSED else apsw.SQLITE_OK

    cursor = connection.cursor()
    cursor.exec_trace = once
    # A virtual table's own module reads and writes its own tables.
    connection.authorizer = None if _is_virtual(sql) else narrow
    try:
        yield cursor
    finally:
        connection.authorizer = None
