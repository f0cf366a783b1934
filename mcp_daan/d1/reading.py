"""Open a D1 file for reading, and for nothing else."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import apsw

from mcp_daan.d1.failures import in_our_words, missing_file
from mcp_daan.d1.guard import Guard, harden, refusal
from mcp_daan.d1.masking.catalog import quoted
from mcp_daan.sqlite_files import opened

ROOTLESS = "type = 'table' AND rootpage = 0"  # virtual tables


@contextmanager
def reading(path: Path, *, seconds: float) -> Iterator[apsw.Connection]:
    """A connection that can only read, gives up after *seconds*, and fails in our own words.

    For statements of our own: a caller's SQL belongs in the pool, since one opcode of it can outlast any deadline.
    Raises NotFound without a file, Unavailable when it cannot be read, TooSlow after the deadline.
    """
    with snapshot(path, seconds=seconds) as connection:
        guard = Guard(table_names(connection))
        connection.authorizer = guard
        try:
            yield connection
        except apsw.Error:
            if guard.denial is not None:
                raise refusal(guard) from None
            raise


@contextmanager
def snapshot(path: Path, *, seconds: float) -> Iterator[apsw.Connection]:
    """A connection to one state of the file, with D1's limits and a deadline, not yet guarded."""
    file = path.resolve()
    if not file.is_file():
        raise missing_file()
    with in_our_words(), opened(file, seconds=seconds, prepare=harden) as connection:
        yield connection


def table_names(connection: apsw.Connection) -> frozenset[str]:
    """The names of the schema's tables and views, lower-cased, for a guard that is set afterwards."""
    trees = connection.execute(f"SELECT name FROM sqlite_schema WHERE {ROOTLESS} AND sql LIKE '%rtree%'").fetchall()
    for (name,) in trees:
        # On its first use an R*Tree prepares the writes that it may need one day, and no guard lets those by.
        with suppress(apsw.SQLError, apsw.CorruptError):  # who uses it is told
            connection.execute(f"PRAGMA main.table_xinfo({quoted(str(name))})").fetchall()
    rows = connection.execute("SELECT lower(name) FROM sqlite_schema WHERE type IN ('table', 'view')")
    return frozenset(name for (name,) in rows)
