"""Ask a remote database for the rows of one statement: judged before it is sent, held against the schema after."""

import hashlib
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from mcp_daan.d1.page import collected
from mcp_daan.d1.pool import Pool
from mcp_daan.d1.query import Answered, Meta, Parameter, Place, bound, cursor_of, mark_of, place_of, rows_of
from mcp_daan.d1.remote.access import Answer, Cost, Remote
from mcp_daan.d1.remote.pages import is_mended, page_statement, plain_values, values
from mcp_daan.d1.remote.schemas import Schema, Schemas
from mcp_daan.d1.statement import room_beside
from mcp_daan.d1.values import SQLValue
from mcp_daan.errors import InvalidArguments, NotFound, Refused, TooLarge, Unavailable
from mcp_daan.paging import ENVELOPE_BYTES
from mcp_daan.protocol import SAFE_INTEGER

# How often a statement is judged anew because the schema changed under it.
TRIES = 3
# The rows before a page that are read again, to tell whether they are those given before: so many, and so much of them.
BACK_ROWS, BACK_CHARACTERS = 1000, 256 << 10
FEWER = 8
Row = tuple[SQLValue, ...]
Sent = Sequence[str | int | float | None]
Judged = Mapping[str, Any]
T = TypeVar("T")


@dataclass(frozen=True)
class Judge:
    """What judging statements for remote databases takes."""

    pool: Pool
    schemas: Schemas
    seconds: float

    def read(self, remote: Remote, sql: str, parameters: Sent, reads: Callable[[Judged], T]) -> tuple[Judged, T]:
        """The judgement on *sql*, and what *reads* then gave, by one and the same schema.

        A schema that changed meanwhile might make a secret of what was none: what was read by the old one is dropped.
        """
        for _ in range(TRIES):
            schema, fresh = self.schemas.known(remote)
            try:
                judged = self._judged(remote, schema, sql, parameters)
                read = reads(judged)
            except (Refused, InvalidArguments, NotFound):
                if fresh or self.schemas.read(remote) == schema:
                    raise
                continue
            if self.schemas.read(remote) == schema:
                return judged, read
        raise Unavailable("The schema of the database changes while it is read.", advice="Ask again in a moment.")

    def _judged(self, remote: Remote, schema: Schema, sql: str, parameters: Sent) -> Judged:
        request = {
            "task": "judgement",
            "schema": schema,
            "sql": sql,
            "parameters": list(parameters),
            "patterns": remote.database.secret_columns,
        }
        return self.pool.ask(request, seconds=self.seconds)


@dataclass(frozen=True)
class Brought:
    """Rows from the one numbered *first* on, at most *limit* of which belong to the page, and what they cost."""

    rows: list[Row]
    first: int
    limit: int
    cost: Cost


def query(
    judge: Judge,
    remote: Remote,
    sql: str,
    parameters: Sequence[Parameter],
    *,
    limit: int,
    cursor: str | None,
    max_bytes: int,
) -> Answered:
    """At most *limit* rows of the one SELECT *sql*, from where *cursor* says; nothing else is ever sent.

    Raises what `d1.query.query` raises, Refused for every use of a secret but as a plain result column besides, and
    Cloudflare's failures.
    """
    mark = mark_of(remote.database, sql, parameters)
    place = place_of(cursor, mark)
    sent = [sendable(value) for value in parameters]
    judged, brought = judge.read(remote, sql, sent, lambda found: _brought(remote, found, sql, sent, place, limit))
    return _answered(judged, brought, place, mark, limit, max_bytes)


def sendable(value: Parameter) -> str | int | float | None:
    """*value* as D1 takes it; InvalidArguments for a number that JSON cannot carry."""
    value = bound(value)
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, int) and abs(value) > SAFE_INTEGER:
        raise InvalidArguments(
            "An integer in `parameters` is beyond 2^53, which D1's API rounds.",
            advice="Write it into the statement, or pass it as text to CAST(? AS INTEGER).",
        )
    if isinstance(value, float) and not math.isfinite(value):
        raise InvalidArguments("A number in `parameters` is not finite.", advice="Write 9e999 into the statement.")
    return value


def _brought(remote: Remote, judged: Judged, sql: str, sent: Sent, place: Place, limit: int) -> Brought:
    """The rows of the page, and those before it that it is held against."""
    if not judged["pages"]:
        answer = remote.ask(sql, sent, width=len(judged["columns"]))
        return Brought(plain_values(answer.rows), 0, limit, answer.cost)
    back = place.skip if place.back is None else place.back
    first = place.skip - back
    while True:
        try:
            answer = _page(remote, judged, sql, sent, first, back + limit + 1)
        except TooLarge:
            if limit == 1:
                raise
            limit = max(limit // FEWER, 1)
            continue
        return Brought(list(values(answer.rows)), first, limit, answer.cost)


def _page(remote: Remote, judged: Judged, sql: str, sent: Sent, skip: int, limit: int) -> Answer:
    order = judged["order"]
    chosen = order["reworded"] if order["always"] else sql

    def asked(statement: str | None, *, exactly: bool = False) -> str:
        if statement is None:
            raise Refused(
                "The rows would come in the order of a secret.",
                advice="Name the columns you need plainly, without rowid, INDEXED BY or the name of the schema.",
            )
        return page_statement(statement, judged["name"], judged["masked"], skip=skip, limit=limit, exactly=exactly)

    if order["indexes"] and not order["always"] and _walks(remote, asked(chosen), sent, order["indexes"]):
        chosen = order["reworded"]
    width = len(judged["masked"])
    answer = remote.ask(asked(chosen), sent, width=width)
    if not is_mended(answer.rows):
        return answer
    again = remote.ask(asked(chosen, exactly=True), sent, width=width)
    return replace(again, cost=replace(again.cost, rows_read=answer.cost.rows_read + again.cost.rows_read))


def _walks(remote: Remote, sql: str, sent: Sent, indexes: Sequence[str]) -> bool:
    """Whether D1 itself, with the statistics that it has, would walk one of *indexes* for *sql*."""
    plan = remote.ask(f"EXPLAIN QUERY PLAN {sql}", sent, width=4)
    steps = [f"{row[-1]} ".lower() for row in plan.rows]
    return any(f"index {name} " in step for name in indexes for step in steps)


def _answered(judged: Judged, brought: Brought, place: Place, mark: str, limit: int, max_bytes: int) -> Answered:
    columns, masked = judged["columns"], judged["masked"]
    room = room_beside(columns, max_bytes - ENVELOPE_BYTES)
    start = place.skip - brought.first
    before = brought.rows[start - (place.back or 0) : start]
    page = collected(iter(brought.rows[start:]), 0, brought.limit, room, masked, before=place.skip)
    kept = _kept(brought.rows[: start + page.row_count])
    end = Place(place.skip + page.row_count, _digest(kept), len(kept))
    cost = brought.cost
    rows = rows_of(
        columns,
        page.text,
        page.row_count,
        masked,
        cursor_of(end, mark) if page.more else None,
        Meta(rows_read=cost.rows_read, duration_ms=cost.duration_ms, served_by=cost.served_by, region=cost.region),
    )
    cut = page.cut or (page.more and brought.limit < limit)
    return Answered(rows, cut, bool(place.seen) and _digest(before) != place.seen, [])


def _kept(rows: Sequence[Row]) -> list[Row]:
    """The last of *rows* that the next page is held against."""
    kept: list[Row] = []
    room = BACK_CHARACTERS
    for row in reversed(rows[-BACK_ROWS:]):
        room -= len(repr(row))
        if room < 0:
            break
        kept.append(row)
    return kept[::-1]


def _digest(rows: Sequence[Row]) -> str:
    digest = hashlib.blake2b(digest_size=9)
    for row in rows:
        digest.update(repr(row).encode())
    return digest.hexdigest()
