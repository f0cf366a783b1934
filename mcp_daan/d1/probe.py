"""Ask the engine about a statement without running it: what it reads and which columns it gives."""

from dataclasses import dataclass

import apsw

from mcp_daan.d1.catalog import Secrets
from mcp_daan.d1.words import parameter_count


@dataclass(frozen=True, slots=True)
class Prepared:
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


def prepare(connection: apsw.Connection, sql: str, secrets: Secrets) -> Prepared:
    """Prepare the first statement of *sql* under the connection's own authorizer, secrets hidden, and stop there."""
    guard = connection.authorizer
    reads, views, shape = set[tuple[str, str]](), set[str](), list[int]()

    def listen(action: int, first: str | None, second: str | None, schema: str | None, inside: str | None) -> int:
        verdict = apsw.SQLITE_OK if guard is None else guard(action, first, second, schema, inside)
        if action != apsw.SQLITE_READ:
            return verdict
        read = ((first or "").lower(), (second or "").lower())
        reads.add(read)
        if inside:
            views.add(inside.lower())
        return apsw.SQLITE_IGNORE if verdict == apsw.SQLITE_OK and read in secrets else verdict

    def stop(cursor: apsw.Cursor, *_: object) -> bool:
        shape[:] = (len(cursor.get_description()), cursor.is_explain)
        return False

    cursor = connection.cursor()
    cursor.exec_trace = stop
    connection.authorizer = listen
    try:
        cursor.execute(sql, nothing_bound(sql), can_cache=False)
    except apsw.ExecTraceAbort:
        pass  # That is how it stops.
    finally:
        connection.authorizer = guard
    width, explains = shape
    return Prepared(width, bool(explains), frozenset(reads), frozenset(views))


def nothing_bound(sql: str) -> tuple[None, ...]:
    """A NULL for each parameter of *sql*."""
    return (None,) * (parameter_count(sql) if any(mark in sql for mark in "?:@$#") else 0)
