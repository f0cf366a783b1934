"""How many rows a statement read, as near as SQLite tells."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

import apsw

from mcp_daan.d1.values import SQLValue


class Steps:
    """What SQLite counted of the statements that ended."""

    def __init__(self) -> None:
        self.scanned = 0


@contextmanager
def counting(connection: apsw.Connection) -> Iterator[Steps]:
    """Count the rows that scans step over, of tables and indexes alike."""
    steps = Steps()

    def add(profile: dict[str, dict[str, int]]) -> None:
        steps.scanned += profile["stmt_status"]["SQLITE_STMTSTATUS_FULLSCAN_STEP"]

    connection.trace_v2(apsw.SQLITE_TRACE_PROFILE, add)
    yield steps
    connection.trace_v2(0)


def counted_whole(connection: apsw.Connection, sql: str, parameters: Sequence[SQLValue]) -> int:
    """The rows that count(*) reads without stepping over them: SQLite does it in one opcode, D1 bills them all."""
    # The estimate must not fail a statement that was answered; EXPLAIN itself may show bytes that are no text.
    with suppress(apsw.Error, UnicodeDecodeError):
        code = list(connection.execute(f"EXPLAIN {sql}", parameters))
        cursors = {first for _, opcode, first, *_ in code if opcode == "Count"}
        roots = {second for _, opcode, first, second, *_ in code if opcode == "OpenRead" and first in cursors}
        return sum(_rows(connection, root) for root in roots)
    return 0


def _rows(connection: apsw.Connection, root: int) -> int:
    found = connection.execute("SELECT tbl_name FROM sqlite_schema WHERE rootpage = ?", (root,)).get
    return connection.execute(f'SELECT count(*) FROM "{found.replace(chr(34), chr(34) * 2)}"').get if found else 0
