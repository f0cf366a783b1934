"""Run one statement of a caller's inside the worker: guarded, masked, by the page."""

import json
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import closing, suppress
from itertools import count
from typing import Any, NamedTuple

import apsw

from mcp_daan.d1.explaining.cost import counted_whole, counting
from mcp_daan.d1.guard import SQL_BYTES, Guard, refusal
from mcp_daan.d1.keeping import Held, Keeper
from mcp_daan.d1.masking.concern import Masks, runs_as_it_is
from mcp_daan.d1.masking.probe import Prepared
from mcp_daan.d1.masking.words import tokens
from mcp_daan.d1.page import Page, collected, json_bytes
from mcp_daan.d1.values import BrokenText, SQLValue
from mcp_daan.errors import Refused, TooLarge, Unavailable

ONE = "Send exactly one statement that reads: SELECT, WITH … SELECT, VALUES, EXPLAIN, or a PRAGMA such as table_info."


class Shape(NamedTuple):
    """What SQLite says of a statement before it runs."""

    columns: tuple[str, ...]
    explains: bool


def answer(
    files: Keeper,
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
) -> tuple[str, str]:
    """The page of at most *limit* rows and *room* bytes after the first *skip* rows: what is told of it, as a JSON object, and its rows as JSON.

    *seen* is the digest of those first rows when they were given before; `changed` says that they are others now.
    """
    check_text(sql)
    with files.reading(path, patterns, seconds=seconds) as held:
        guard = Guard(held.tables, held.secrets)
        held.connection.authorizer = guard
        try:
            ran = _ran(held, guard, sql, parameters, skip, limit, room)
        except apsw.Error:
            if guard.denial is not None:
                raise refusal(guard) from None
            raise
    page = ran.page
    told = {
        "columns": ran.columns,
        "row_count": page.row_count,
        "more": page.more,
        "cut": page.cut,
        "seen": page.seen,
        "changed": bool(seen) and seen != page.skipped,
        "masked": ran.masks.columns,
        "elsewhere": ran.masks.elsewhere,
        "rows_read": max(ran.scanned, skip + page.row_count),
        "milliseconds": ran.milliseconds,
    }
    return json.dumps(told, separators=(",", ":")), page.text


class Ran(NamedTuple):
    """A statement that ran."""

    columns: tuple[str, ...]
    masks: Masks
    page: Page
    scanned: int
    milliseconds: float


def _ran(held: Held, guard: Guard, sql: str, parameters: Sequence[SQLValue], skip: int, limit: int, room: int) -> Ran:
    connection = held.connection
    begun = time.perf_counter()
    with counting(connection) as steps:

        def goes_on(shape: Shape) -> bool:
            prepared = Prepared(len(shape.columns), shape.explains, frozenset(guard.read), frozenset(guard.views))
            steps.scanned = 0  # what looking at it took
            return runs_as_it_is(sql, prepared, held.catalog, held.secrets)

        shape, cursor = started(connection, sql, parameters, goes_on)
        masks = Masks((False,) * len(shape.columns), (), sql)
        if cursor is None:
            masks = column_masks(connection, sql, shape, held.secrets)
            steps.scanned = 0
            cursor = connection.execute(masks.statement, parameters)
        left = room_beside(shape.columns, room)
        try:
            page = collected(cursor, skip, limit, left, masks.columns)
        except UnicodeDecodeError:
            page = None
        # Only a statement that ended is counted, and only then another may follow.
        cursor.close(True)
        if page is None:
            steps.scanned = 0
            again = _as_bytes(connection, masks.statement, parameters, shape, held.tables)
            with closing(again):
                page = collected(again, skip, limit, left, masks.columns)
    ended = time.perf_counter()
    scanned = steps.scanned + (1 if steps.scanned else 0)
    if any(column == "" for _, column in guard.read):
        scanned += counted_whole(connection, masks.statement, parameters)
    return Ran(shape.columns, masks, page, scanned, round((ended - begun) * 1000, 3))


def look(connection: apsw.Connection, sql: str, parameters: Sequence[SQLValue]) -> Shape:
    """The shape of *sql*, prepared and not run.

    Raises Refused for anything but one statement that reads.
    """
    return started(connection, sql, parameters, lambda _: False)[0]


def started(
    connection: apsw.Connection, sql: str, parameters: Sequence[SQLValue], goes_on: Callable[[Shape], bool]
) -> tuple[Shape, apsw.Cursor | None]:
    """The shape of *sql*, and the cursor that it runs in if *goes_on* says so of the shape; fails as `look` does."""
    found: list[Shape] = []

    def trace(cursor: apsw.Cursor, statement: str, bindings: object) -> bool:
        if found:  # what follows the statement, which is blank
            return True
        if not cursor.has_vdbe:
            raise Refused("There is no statement.", advice=ONE)
        if not blank(connection, sql[len(statement) :]):
            raise Refused("There is more than one statement.", advice=ONE)
        # The authorizer sees every action but VACUUM's own, which EXPLAIN would let by.
        if not cursor.is_readonly:
            raise Refused("The statement was not run: it does more than read.", advice=ONE)
        found.append(Shape(tuple(name for name, *_ in cursor.description), bool(cursor.is_explain)))
        return goes_on(found[0])

    cursor = connection.cursor()
    cursor.exec_trace = trace
    try:
        cursor.execute(sql, parameters)
    except apsw.ExecTraceAbort:
        return found[0], None
    if not found:
        raise Refused("There is no statement.", advice=ONE)
    return found[0], cursor


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


def column_masks(connection: apsw.Connection, sql: str, shape: Shape, secrets: frozenset[tuple[str, str]]) -> Masks:
    """Which result columns to show as masked. Whatever goes wrong here means Refused: the rows are not shown."""
    # Slow to load, and most statements have to do with no secret.
    from mcp_daan.d1.masking.lineage import result_masks

    masks: Masks | None
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
    left = room - 2 * json_bytes(columns)
    if left < 0:
        raise TooLarge(
            "The names of the columns alone are larger than an answer may be.",
            advice="Name fewer columns, or give long expressions a short name with AS.",
        )
    return left


def _as_bytes(
    connection: apsw.Connection, sql: str, parameters: Sequence[SQLValue], shape: Shape, tables: frozenset[str]
) -> Generator[tuple[SQLValue, ...], None, None]:
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
