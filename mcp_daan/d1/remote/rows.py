"""Rows of our own statements from a remote database, for use inside this process only: secrets come as they are."""

import time
from collections.abc import Iterator, Sequence
from typing import Any

from mcp_daan.d1.masking.catalog import quoted
from mcp_daan.d1.remote.access import Remote
from mcp_daan.d1.values import SQLValue
from mcp_daan.errors import TooLarge, TooSlow

PAGE = 1000
FIRST_ROWID = -(2**63)


def read_rows(
    remote: Remote,
    sql: str,
    parameters: Sequence[str | int | float | None] = (),
    *,
    by: str | None = None,
    seconds: float = 120.0,
) -> Iterator[tuple[SQLValue, ...]]:
    """Every row of *sql*, one canned SELECT.

    *by* names the one table of a `SELECT … FROM table` without WHERE, ORDER BY or an aggregate: its rows come by rowid
    in pages, so that D1 reads each once. Without it all rows come in one answer, TooLarge past 16 MB. Raises
    UnicodeDecodeError for text that is not UTF-8, as SQLite does: read it `CAST(… AS BLOB)` then; integers beyond 2^53
    have lost their last digits on the way.
    """
    if not sql.startswith("SELECT "):
        raise ValueError("only SELECT is read")
    ends = time.monotonic() + seconds
    if by is None:
        yield from map(_row, remote.ask(sql, parameters, seconds=seconds).rows)
        return
    last, size = FIRST_ROWID, PAGE
    while True:
        page, size = _page(remote, sql, parameters, quoted(by), last, size, ends)
        yield from (_row(row[1:]) for row in page)
        if len(page) < size:
            return
        last = int(page[-1][0])


def _page(
    remote: Remote,
    sql: str,
    parameters: Sequence[str | int | float | None],
    table: str,
    last: int,
    size: int,
    ends: float,
) -> tuple[list[list[Any]], int]:
    """The rows behind rowid *last*, each with its rowid as text before it, and how many were asked for."""
    while True:
        left = ends - time.monotonic()
        if left <= 0:
            raise TooSlow("There was no time to read every row.", advice="Raise `request_seconds` under `[limits]`.")
        # The literal is exact, which a number in JSON would not be. Greater than the least rowid means all but that.
        asked = (
            f"SELECT CAST({table}.rowid AS TEXT), {sql.removeprefix('SELECT ')}"
            f" WHERE {table}.rowid {'>=' if last == FIRST_ROWID else '>'} {last} ORDER BY {table}.rowid LIMIT {size}"
        )
        try:
            return remote.ask(asked, parameters, seconds=min(left, remote.seconds)).rows, size
        except TooLarge:
            if size == 1:
                raise
            size = max(size // 8, 1)


def _row(row: Sequence[Any]) -> tuple[SQLValue, ...]:
    return tuple(_value(value) for value in row)


def _value(value: Any) -> SQLValue:
    if isinstance(value, list):
        return bytes(value)
    if isinstance(value, str) and "\ufffd" in value:
        raise UnicodeDecodeError("utf-8", b"\xff", 0, 1, "text that is not UTF-8")
    return value  # type: ignore[no-any-return]
