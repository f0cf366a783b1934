"""Ask a worker for the rows of one statement."""

import base64
import binascii
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import WithJsonSchema

from mcp_daan.d1.databases import Database, local_file
from mcp_daan.d1.pool import Pool
from mcp_daan.errors import InvalidArguments
from mcp_daan.paging import ENVELOPE_BYTES
from mcp_daan.protocol import SAFE_INTEGER, Model

Parameter = str | int | float | bool | None
INT64 = 2**63
# What `to_wire` gives; not validated again row by row.
Cell = Annotated[Any, WithJsonSchema({"type": ["integer", "number", "string", "null", "object"]})]


class Meta(Model):
    """What the statement cost; `rowsRead` is an estimate locally, since only D1 itself counts exactly."""

    rows_read: int
    duration_ms: float
    served_by: str
    region: str | None


class Rows(Model):
    """One page of rows."""

    columns: list[str]
    rows: list[list[Cell]]
    row_count: int
    truncated: bool
    next_cursor: str | None
    masked: list[str]
    meta: Meta


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
    """Where a page begins: after *skip* rows, which had the digest *seen*."""

    skip: int = 0
    seen: str = ""


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
    mark = _mark(database, sql, parameters)
    place = _place(cursor, mark)
    request = {
        "path": str(path),
        "sql": sql,
        "parameters": [_bound(value) for value in parameters],
        "skip": place.skip,
        "seen": place.seen,
        "limit": limit,
        "room": max_bytes - ENVELOPE_BYTES,
        "patterns": database.secret_columns,
    }
    page = pool.ask(request, seconds=seconds)
    end = Place(place.skip + len(page["rows"]), page["seen"])
    names = [name for name, hidden in zip(page["columns"], page["masked"], strict=True) if hidden]
    rows = Rows(
        columns=page["columns"],
        rows=page["rows"],
        row_count=len(page["rows"]),
        truncated=page["more"],
        next_cursor=_cursor(end, mark) if page["more"] else None,
        masked=list(dict.fromkeys(names)),
        meta=Meta(rows_read=page["rows_read"], duration_ms=page["milliseconds"], served_by="local", region=None),
    )
    return Answered(rows, page["cut"], page["changed"], page["elsewhere"])


def _bound(value: Parameter) -> str | int | float | None:
    if isinstance(value, int) and not -INT64 <= value < INT64:
        raise InvalidArguments(
            "An integer in `parameters` does not fit 64 bits.", advice="Pass it as a string, or as a float."
        )
    # D1 takes every number as JavaScript does. What no double holds exactly it could not take at all.
    return float(value) if isinstance(value, int) and abs(value) <= SAFE_INTEGER else value


def _mark(database: Database, sql: str, parameters: Sequence[Parameter]) -> str:
    """What ties a cursor to its statement."""
    told = json.dumps([str(database.path), sql, list(parameters)])
    return hashlib.blake2b(told.encode(), digest_size=9).hexdigest()


def _cursor(place: Place, mark: str) -> str:
    return base64.urlsafe_b64encode(json.dumps([place.skip, place.seen, mark]).encode()).decode().rstrip("=")


def _place(cursor: str | None, mark: str) -> Place:
    if cursor is None:
        return Place()
    try:
        skip, seen, known = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, TypeError, binascii.Error):
        skip, seen, known = None, None, None
    if type(skip) is not int or not 0 <= skip <= SAFE_INTEGER or not isinstance(seen, str) or known != mark:
        raise InvalidArguments(
            "`cursor` does not belong to this statement.",
            advice="Pass `data.nextCursor` with the same database, sql and parameters, or leave `cursor` out.",
        )
    return Place(skip, seen)
