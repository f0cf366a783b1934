"""Run one statement of a caller's inside the worker: guarded, masked, by the page."""

import hashlib
import json
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import count, islice
from pathlib import Path
from typing import Any

import apsw

from mcp_daan.d1.explaining.cost import Steps, counted_whole, counting
from mcp_daan.d1.guard import SQL_BYTES, Guard, refusal
from mcp_daan.d1.masking.lineage import Masks, result_masks
from mcp_daan.d1.masking.secrets import secret_columns
from mcp_daan.d1.masking.words import tokens
from mcp_daan.d1.reading import snapshot, table_names
from mcp_daan.d1.values import MASK, BrokenText, SQLValue, to_wire
from mcp_daan.errors import Refused, TooLarge, Unavailable

ONE = "Send exactly one statement that reads: SELECT, WITH … SELECT, VALUES, EXPLAIN, or a PRAGMA such as table_info."


@dataclass(frozen=True)
class Shape:
    """What SQLite says of a statement before it runs."""

    columns: tuple[str, ...]
    explains: bool


def answer(
    *,
    path: str,
    sql: str,
    parameters: Sequence[SQLValue],
    skip: int,
    seen: str,
    limit: int,
    room: int,
    patterns: Sequence[str],
    seconds: float,
) -> dict[str, Any]:
    """The page of at most *limit* rows and *room* bytes after the first *skip* rows.

    *seen* is the digest of those first rows when they were given before; `changed` says that they are others now.
    """
    check_text(sql)
    with snapshot(Path(path), seconds=seconds) as connection:
        secrets = secret_columns(connection, patterns)
        guard = Guard(table_names(connection), secrets)
        connection.authorizer = guard
        try:
            started = time.perf_counter()
            shape = look(connection, sql, parameters)
            masks = column_masks(connection, sql, shape, secrets)
            room = room_beside(shape.columns, room)
            with counting(connection) as steps:
                page = _page(connection, masks.statement, parameters, shape, skip, limit, room, masks.columns, steps)
            ended = time.perf_counter()
            scanned = steps.scanned + (1 if steps.scanned else 0)
            if any(column == "" for _, column in guard.read):
                scanned += counted_whole(connection, masks.statement, parameters)
        except apsw.Error:
            if guard.denial is not None:
                raise refusal(guard) from None
            raise
    return {
        "columns": shape.columns,
        "rows": page.rows,
        "more": page.more,
        "cut": page.cut,
        "seen": page.seen,
        "changed": bool(seen) and seen != page.skipped,
        "masked": masks.columns,
        "elsewhere": masks.elsewhere,
        "rows_read": max(scanned, skip + len(page.rows)),
        "milliseconds": round((ended - started) * 1000, 3),
    }


def look(connection: apsw.Connection, sql: str, parameters: Sequence[SQLValue]) -> Shape:
    """The shape of *sql*, prepared and not run.

    Raises Refused for anything but one statement that reads.
    """
    found: list[Shape] = []

    def trace(cursor: apsw.Cursor, statement: str, bindings: object) -> bool:
        if not cursor.has_vdbe:
            raise Refused("There is no statement.", advice=ONE)
        if not blank(connection, sql[len(statement) :]):
            raise Refused("There is more than one statement.", advice=ONE)
        # The authorizer sees every action but VACUUM's own, which EXPLAIN would let by.
        if not cursor.is_readonly:
            raise Refused("The statement was not run: it does more than read.", advice=ONE)
        found.append(Shape(tuple(name for name, *_ in cursor.description), bool(cursor.is_explain)))
        return False

    cursor = connection.cursor()
    cursor.exec_trace = trace
    try:
        cursor.execute(sql, parameters)
    except apsw.ExecTraceAbort:
        return found[0]
    raise Refused("There is no statement.", advice=ONE)


def blank(connection: apsw.Connection, text: str) -> bool:
    """Whether SQLite finds nothing but blanks, comments and semicolons in *text*."""
    while text:
        found: list[tuple[str, bool]] = []

        def trace(cursor: apsw.Cursor, statement: str, bindings: object, found: list[tuple[str, bool]] = found) -> bool:
            found.append((statement, cursor.has_vdbe))
            return False

        cursor = connection.cursor()
        cursor.exec_trace = trace
        with suppress(apsw.ExecTraceAbort):
            cursor.execute(text)
        if not found or found[0][1]:
            return not found
        text = text[len(found[0][0]) :]
    return True


@dataclass
class Page:
    """The rows of one page; `skipped` and `seen` digest the rows before it and up to its end."""

    rows: list[list[Any]]
    more: bool
    cut: bool
    skipped: str
    seen: str


def _page(
    connection: apsw.Connection,
    sql: str,
    parameters: Sequence[SQLValue],
    shape: Shape,
    skip: int,
    limit: int,
    room: int,
    masked: Sequence[bool],
    steps: Steps,
) -> Page:
    try:
        return collected(connection.execute(sql, parameters), skip, limit, room, masked)
    except UnicodeDecodeError:
        tables = table_names(connection)
    # The first run has ended with its handler: neither it nor our look at the schema is a cost of the statement.
    steps.scanned = 0
    return collected(_as_bytes(connection, sql, parameters, shape, tables), skip, limit, room, masked)


def collected(
    rows: Iterator[tuple[SQLValue, ...]], skip: int, limit: int, room: int, masked: Sequence[bool], *, before: int = 0
) -> Page:
    """The page of *rows* after the first *skip*; *before* counts those that are not among them."""
    digest = hashlib.blake2b(digest_size=9)
    for row in islice(rows, skip):
        digest.update(repr(row).encode())
    skipped = digest.hexdigest()
    taken: list[list[Any]] = []
    for row in rows:
        if len(taken) == limit:
            return Page(taken, True, False, skipped, digest.hexdigest())
        wire = [MASK if hidden else to_wire(value) for value, hidden in zip(row, masked, strict=True)]
        room -= _json_bytes(wire) + 1
        if room < 0:
            if not taken:
                raise TooLarge(
                    f"Row {before + skip + 1} alone is larger than an answer may be.",
                    advice="Name the columns that you need, or take parts of long values with substr().",
                )
            return Page(taken, True, True, skipped, digest.hexdigest())
        taken.append(wire)
        digest.update(repr(row).encode())
    return Page(taken, False, False, skipped, digest.hexdigest())


def column_masks(connection: apsw.Connection, sql: str, shape: Shape, secrets: frozenset[tuple[str, str]]) -> Masks:
    """Which result columns to show as masked. Whatever goes wrong here means Refused: the rows are not shown."""
    try:
        masks = result_masks(connection, sql, secrets)
    except (ArithmeticError, AssertionError, AttributeError, LookupError, RecursionError, TypeError, ValueError):
        masks = None
    if masks is None or len(masks.columns) != len(shape.columns):
        raise Refused(
            "It cannot be told which result columns draw on a secret.",
            advice="Write it as a plain SELECT of the columns you need, without the secret ones.",
        )
    return masks


def room_beside(columns: Sequence[str], room: int) -> int:
    """What is left of *room* beside the names of the *columns*, masked ones named twice."""
    left = room - 2 * _json_bytes(columns)
    if left < 0:
        raise TooLarge(
            "The names of the columns alone are larger than an answer may be.",
            advice="Name fewer columns, or give long expressions a short name with AS.",
        )
    return left


def _json_bytes(value: object) -> int:
    return len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace"))


def _as_bytes(
    connection: apsw.Connection, sql: str, parameters: Sequence[SQLValue], shape: Shape, tables: frozenset[str]
) -> Iterator[tuple[SQLValue, ...]]:
    """The same rows with text read as bytes, for a database that holds text that is not UTF-8."""
    names = [f"c{number}" for number in range(len(shape.columns))]
    values = ", ".join(f"iif(typeof({c}) = 'text', CAST({c} AS BLOB), {c}), typeof({c}) = 'text'" for c in names)
    # The statement itself kept D1's limits already.
    connection.limit(apsw.SQLITE_LIMIT_COLUMN, 2 * len(names) + 1)
    connection.limit(apsw.SQLITE_LIMIT_SQL_LENGTH, 2 * SQL_BYTES)
    page = unused_name(sql, tables)
    wrapped = f"WITH {page}({', '.join(names)}) AS (\n{without_end(sql)}\n) SELECT {values} FROM {page}"
    try:
        rows = connection.execute(wrapped, parameters)
    except apsw.SQLError:  # PRAGMA and EXPLAIN cannot be wrapped
        raise Unavailable("A name in the schema is not UTF-8.", advice="Ask with SELECT instead of PRAGMA.") from None
    for row in rows:
        yield tuple(_text(value) if is_text else value for value, is_text in zip(row[::2], row[1::2], strict=True))


def _text(value: Any) -> SQLValue:
    try:
        return str(value, "utf-8")
    except UnicodeDecodeError:
        return BrokenText(value)


def without_end(sql: str) -> str:
    """*sql* up to the end of its one statement, without a semicolon or a comment behind it."""
    words = tokens(sql)
    last = next((place for place, token in enumerate(words) if token.word == ";" or token.kind == "end"), 0)
    return sql[: words[last - 1].end] if last else ""


def unused_name(sql: str, tables: frozenset[str]) -> str:
    """A name for a part of our own around *sql*: neither its text nor a table of the schema bears it."""
    text = sql.lower()
    return next(name for number in count() if (name := f"page_{number}") not in text and name not in tables)


def check_text(sql: str) -> None:
    # Layers differ in where they think that such a text ends.
    if "\0" in sql:
        raise Refused("The statement holds a NUL character.", advice="Pass such values in `parameters`.")
    try:
        size = len(sql.encode())
    except UnicodeEncodeError:
        raise Refused("The statement is not valid Unicode.", advice="Send it as UTF-8 text.") from None
    if size > SQL_BYTES:
        raise TooLarge(
            f"The statement has {size} bytes; D1 takes {SQL_BYTES}.", advice="Shorten it; pass values in `parameters`."
        )
