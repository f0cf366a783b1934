"""Ask a worker for the rows of one statement."""

import base64
import binascii
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from pydantic import WithJsonSchema

from mcp_daan.d1.databases import Database, local_file
from mcp_daan.d1.pool import Pool
from mcp_daan.errors import InvalidArguments
from mcp_daan.paging import ENVELOPE_BYTES
from mcp_daan.protocol import SAFE_INTEGER, Model, written

Parameter = str | int | float | bool | None
INT64 = 2**63
# What `to_wire` gives, as a page has it: it was written as JSON to be measured, and is neither read nor written again.
CELL = {"type": ["integer", "number", "string", "null", "object"]}
Written = Annotated[str, WithJsonSchema({"type": "array", "items": {"type": "array", "items": CELL}})]


class Meta(Model):
    """What the statement cost; `rowsRead` is an estimate locally, since only D1 itself counts exactly."""

    rows_read: int
    duration_ms: float
    served_by: str
    region: str | None


class Rows(Model):
    """One page of rows."""

    columns: list[str]
    rows: Written
    row_count: int
    truncated: bool
    next_cursor: str | None
    masked: list[str]
    meta: Meta

    def as_json(self) -> str:
        """The page as it travels."""
        rest = self.wire()
        columns, rows = written(rest.pop("columns")), rest.pop("rows")
        return f'{{"columns":{columns},"rows":{rows},{written(rest)[1:]}'


@dataclass(frozen=True)
class Answered:
    """The rows, and what they do not say themselves.

    `cut`: bytes ended the page before `limit` did. `changed`: the rows before the cursor are not those given before.
    `elsewhere`: the secret columns that the statement filters, joins or sorts by, where they count as NULL.
    """

    rows: Rows
    cut: bool
    changed: bool
    elsewhere: list[str]


@dataclass(frozen=True)
class Place:
    """Where a page begins: after *skip* rows, the last *back* of which had the digest *seen*; all of them by default."""

    skip: int = 0
    seen: str = ""
    back: int | None = None


def query(
    pool: Pool,
    database: Database,
    sql: str,
    parameters: Sequence[Parameter],
    *,
    limit: int,
    cursor: str | None,
    max_bytes: int,
    seconds: float,
) -> Answered:
    """At most *limit* rows of the one SELECT *sql*, from where *cursor* says.

    Raises Refused for anything that does more than read, InvalidArguments for SQL that is wrong, TooSlow after
    *seconds*, TooLarge for a row that alone exceeds *max_bytes*, NotFound or Unavailable for the file.
    """
    path = local_file(database)
    place = Place() if cursor is None else place_of(cursor, mark_of(database, sql, parameters))
    request = {
        "path": str(path),
        "sql": sql,
        "parameters": [bound(value) for value in parameters],
        "skip": place.skip,
        "seen": place.seen,
        "limit": limit,
        "room": max_bytes - ENVELOPE_BYTES,
        "patterns": database.secret_columns,
    }
    page = pool.ask(request, seconds=seconds)
    end = Place(place.skip + page["row_count"], page["seen"])
    rows = rows_of(
        page["columns"],
        page["rows"],
        page["row_count"],
        page["masked"],
        cursor_of(end, mark_of(database, sql, parameters)) if page["more"] else None,
        Meta(rows_read=page["rows_read"], duration_ms=page["milliseconds"], served_by="local", region=None),
    )
    return Answered(rows, page["cut"], page["changed"], page["elsewhere"])


def rows_of(
    columns: list[str], rows: str, count: int, masked: Sequence[bool], next_cursor: str | None, meta: Meta
) -> Rows:
    """One page on the wire, its *count* of *rows* written as JSON."""
    names = [name for name, hidden in zip(columns, masked, strict=True) if hidden]
    return Rows(
        columns=columns,
        rows=rows,
        row_count=count,
        truncated=next_cursor is not None,
        next_cursor=next_cursor,
        masked=list(dict.fromkeys(names)),
        meta=meta,
    )


def bound(value: Parameter) -> str | int | float | None:
    """*value* as SQLite takes it; InvalidArguments for an integer of more than 64 bits and for half a surrogate pair."""
    # pydantic takes half a pair of surrogates where an argument may be of several types.
    if isinstance(value, str) and not value.isascii() and any("\ud800" <= each <= "\udfff" for each in value):
        raise InvalidArguments("A text in `parameters` is not valid Unicode.", advice="Send it as UTF-8 text.")
    if isinstance(value, int) and not -INT64 <= value < INT64:
        raise InvalidArguments(
            "An integer in `parameters` does not fit 64 bits.", advice="Pass it as a string, or as a float."
        )
    # D1 takes every number as JavaScript does. What no double holds exactly it could not take at all.
    return float(value) if isinstance(value, int) and abs(value) <= SAFE_INTEGER else value


def mark_of(database: Database, sql: str, parameters: Sequence[Parameter]) -> str:
    """What ties a cursor to its statement."""
    where = str(database.path) if database.location == "local" else [database.account_id, database.id]
    told = json.dumps([where, sql, list(parameters)])
    return hashlib.blake2b(told.encode(), digest_size=9).hexdigest()


def cursor_of(place: Place, mark: str) -> str:
    """The cursor that leads to *place* in the statement with that *mark*."""
    told = json.dumps([place.skip, place.seen, place.back, mark])
    return base64.urlsafe_b64encode(told.encode()).decode().rstrip("=")


def place_of(cursor: str | None, mark: str) -> Place:
    """The place that *cursor* leads to; InvalidArguments if it is not of the statement with that *mark*."""
    if cursor is None:
        return Place()
    try:
        skip, seen, back, known = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, TypeError, binascii.Error):
        skip, seen, back, known = None, None, None, None
    counted = (
        type(skip) is int and 0 <= skip <= SAFE_INTEGER and (back is None or (type(back) is int and 0 <= back <= skip))
    )
    if not counted or not isinstance(seen, str) or known != mark:
        raise InvalidArguments(
            "`cursor` does not belong to this statement.",
            advice="Pass `data.nextCursor` with the same database, sql and parameters, or leave `cursor` out.",
        )
    return Place(skip, seen, back)
