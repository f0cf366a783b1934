"""One page of a statement's rows: the statement around it, and the values as it brings them.

JavaScript stands between D1 and us: it rounds integers beyond 2^53, has no infinity and mends text that is not UTF-8.
So what it would change travels as a blob that begins with a letter for its kind, and the rest as it is.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from mcp_daan.cloudflare import failure
from mcp_daan.d1.guard import SQL_BYTES
from mcp_daan.d1.statement import without_end
from mcp_daan.d1.values import GLANCE_BYTES, SAFE_INTEGER, BrokenText, Glance, SQLValue
from mcp_daan.errors import TooLarge

# Text in which JavaScript found something to mend, or which had this character before.
MENDED = "\ufffd"


def page_statement(sql: str, name: str, masked: Sequence[bool], *, skip: int, limit: int, exactly: bool) -> str:
    """The statement that gives at most *limit* rows of *sql* after the first *skip*, masked columns as NULL.

    *name* is free to be used in it. *exactly* brings text as its bytes.
    """
    columns = [f"c{number}" for number in range(len(masked))]
    values = ", ".join("NULL" if hidden else _sent(c, exactly) for c, hidden in zip(columns, masked, strict=True))
    # As a function's result neither number changes the plan. A LIMIT on both keeps SQLite from making one of the two,
    # in which `random()` would stand, and run, several times.
    asked = (
        f"WITH {name}({', '.join(columns)}) AS (SELECT * FROM (\n{without_end(sql)}\n)"
        f" LIMIT abs({limit}) OFFSET abs({skip})) SELECT {values} FROM {name} LIMIT abs({limit})"
    )
    size = len(asked.encode())
    if size > SQL_BYTES:
        raise TooLarge(
            f"The statement has {size} bytes with what a remote database needs around it; D1 takes {SQL_BYTES}.",
            advice="Shorten it; pass values in `parameters`, and name fewer columns.",
        )
    return asked


def values(rows: Sequence[Sequence[Any]]) -> Iterator[tuple[SQLValue, ...]]:
    """The rows of a page statement, their values exact."""
    return (tuple(_value(each) for each in row) for row in rows)


def plain_values(rows: Sequence[Sequence[Any]]) -> list[tuple[SQLValue, ...]]:
    """The rows of a PRAGMA or EXPLAIN, which no statement can stand around."""
    return [tuple(bytes(each) if isinstance(each, list) else each for each in row) for row in rows]


def is_mended(rows: Sequence[Sequence[Any]]) -> bool:
    """Whether some text in *rows* may not be what stands in the database."""
    return any(isinstance(value, str) and MENDED in value for row in rows for value in row)


def _sent(column: str, exactly: bool) -> str:
    text = f"CAST('t' || {column} AS BLOB)" if exactly else column
    return (
        f"CASE typeof({column}) WHEN 'text' THEN {text}"
        f" WHEN 'blob' THEN CAST('b' || length({column}) || ':' || hex(substr({column}, 1, {GLANCE_BYTES})) AS BLOB)"
        f" WHEN 'integer' THEN iif({column} BETWEEN -{SAFE_INTEGER} AND {SAFE_INTEGER},"
        f" {column}, CAST('i' || {column} AS BLOB))"
        f" WHEN 'real' THEN iif(abs({column}) = 9e999, CAST('r' || {column} AS BLOB), {column}) END"
    )


def _value(value: Any) -> SQLValue:
    if not isinstance(value, list):
        # Every larger integer comes as a blob, so this was a real number that JSON writes without a point.
        return float(value) if isinstance(value, int) and abs(value) > SAFE_INTEGER else value
    kind, told = bytes(value[:1]), bytes(value[1:])
    try:
        if kind == b"t":
            return _text(told)
        if kind == b"i":
            return int(told)
        if kind == b"r":
            return float(told)
        size, _, start = told.partition(b":")
        return Glance(bytes.fromhex(start.decode()), int(size))
    except ValueError:
        raise failure("malformed") from None


def _text(told: bytes) -> SQLValue:
    try:
        return told.decode()
    except UnicodeDecodeError:
        return BrokenText(told)
