"""Ask the engine about a statement without running it: what it reads and which columns it gives."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import NamedTuple

import apsw

from mcp_daan.d1.masking.catalog import Secrets
from mcp_daan.d1.masking.words import parameter_count


class Prepared(NamedTuple):
    """What the engine made of a statement; *reads* are the (table, column) pairs it was asked for, lower-case.

    A table of which no column is read stands there with the column "". Columns that only NATURAL or USING compares,
    and arguments of table-valued functions, stand nowhere: the engine asks nobody about those.
    """

    width: int
    explains: bool
    reads: frozenset[tuple[str, str]]
    views: frozenset[str]

    @property
    def tables(self) -> frozenset[str]:
        return self.views | {table for table, _ in self.reads}


@contextmanager
def hiding(connection: apsw.Connection, secrets: Secrets) -> Iterator[tuple[set[tuple[str, str]], set[str]]]:
    """The connection's own authorizer, and secrets hidden from what it allows; gives what is read, and which views."""
    guard = connection.authorizer
    reads, views = set[tuple[str, str]](), set[str]()

    def listen(action: int, first: str | None, second: str | None, schema: str | None, inside: str | None) -> int:
        verdict = apsw.SQLITE_OK if guard is None else guard(action, first, second, schema, inside)
        if action != apsw.SQLITE_READ:
            return verdict
        read = ((first or "").lower(), (second or "").lower())
        reads.add(read)
        if inside:
            views.add(inside.lower())
        return apsw.SQLITE_IGNORE if verdict == apsw.SQLITE_OK and read in secrets else verdict

    connection.authorizer = listen
    try:
        yield reads, views
    finally:
        connection.authorizer = guard


def prepare(connection: apsw.Connection, sql: str, secrets: Secrets) -> Prepared:
    """Prepare the first statement of *sql*, secrets hidden, and stop there."""
    shape: list[int] = []

    def stop(cursor: apsw.Cursor, *_: object) -> bool:
        shape[:] = (len(cursor.get_description()), cursor.is_explain)
        return False

    cursor = connection.cursor()
    cursor.exec_trace = stop
    with hiding(connection, secrets) as (reads, views), suppress(apsw.ExecTraceAbort):
        cursor.execute(sql, nothing_bound(sql), can_cache=False)
    width, explains = shape
    return Prepared(width, bool(explains), frozenset(reads), frozenset(views))


def program(connection: apsw.Connection, sql: str, secrets: Secrets) -> list[tuple[str, int, int]]:
    """The opcodes, with P1 and P2, that the engine would run for *sql*, secrets hidden."""
    cursor = connection.cursor()
    cursor.exec_trace = lambda *_: True
    with hiding(connection, secrets):
        rows = cursor.execute(sql, nothing_bound(sql), can_cache=False, explain=1).fetchall()
    return [(str(opcode), int(p1 or 0), int(p2 or 0)) for _, opcode, p1, p2, *_ in rows]


def nothing_bound(sql: str) -> tuple[None, ...]:
    """A NULL for each parameter of *sql*."""
    return (None,) * (parameter_count(sql) if any(mark in sql for mark in "?:@$#") else 0)
