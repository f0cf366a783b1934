"""One remote D1 database: a statement a call, as `/raw` answers it."""

import math
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import apsw

from mcp_daan.cloudflare import Cloudflare, failure
from mcp_daan.d1.databases import Database
from mcp_daan.d1.failures import translated
from mcp_daan.errors import DaanError, InternalError, InvalidArguments, Upstream

# What a request has when the call's time is over: it fails as one that took too long.
LEAST_SECONDS = 0.05
# What D1 appends to SQLite's own words.
ADDED = re.compile(r"( at offset \d+)?: SQLITE_[A-Z]+.*$", re.DOTALL)
ERRORS: dict[str, type[apsw.Error]] = {
    "SQLITE_AUTH": apsw.AuthError,
    "SQLITE_TOOBIG": apsw.TooBigError,
    "SQLITE_NOMEM": apsw.NoMemError,
    "SQLITE_MISMATCH": apsw.MismatchError,
    "SQLITE_INTERRUPT": apsw.InterruptError,
    "SQLITE_CORRUPT": apsw.CorruptError,
    "SQLITE_BUSY": apsw.BusyError,
    "parameter bindings": apsw.BindingsError,
}


@dataclass(frozen=True)
class Cost:
    """What D1 says of a statement that ran."""

    rows_read: int
    duration_ms: float
    served_by: str
    region: str | None


@dataclass(frozen=True)
class Answer:
    """The rows of one statement as JSON has them: a blob is a list of numbers."""

    columns: list[str]
    rows: list[list[Any]]
    cost: Cost


@dataclass(frozen=True)
class Remote:
    """A remote database within reach; *seconds* is what one request may take, *ends* when all of them have to be done."""

    cloudflare: Cloudflare
    database: Database
    seconds: float
    ends: float = math.inf

    @property
    def path(self) -> str:
        """Where it is, below the API's base."""
        account = self.database.account_id
        return self.cloudflare.account("d1", "database", self.database.id or "", account_id=account)

    def about(self) -> Mapping[str, Any]:
        """What Cloudflare knows of it: name, uuid, file_size and more."""
        found = self.cloudflare.get(self.path, seconds=self._left()).result
        if not isinstance(found, dict):
            raise failure("malformed")
        return found

    def ask(
        self,
        sql: str,
        parameters: Sequence[str | int | float | None] = (),
        *,
        width: int | None = None,
        seconds: float | None = None,
    ) -> Answer:
        """The answer to *sql*, a statement known to read only, which gives *width* columns.

        Raises SQLite's failures as a local database would, and Cloudflare's own.
        """
        body = {"sql": sql, "params": list(parameters)}
        try:
            result = self.cloudflare.read(f"{self.path}/raw", body, seconds=seconds or self._left()).result
        except InvalidArguments as error:
            raise _in_our_words(error) from None
        answer = _answer(result)
        if width is not None and len(answer.columns) != width:
            raise failure("malformed", Upstream(200, None))
        return answer

    def _left(self) -> float:
        return max(min(self.seconds, self.ends - time.monotonic()), LEAST_SECONDS)


def _in_our_words(error: InvalidArguments) -> DaanError:
    if error.upstream is None or error.upstream.code != 7500:
        return error
    text = error.upstream.text
    kind = next((kind for word, kind in ERRORS.items() if word in text), apsw.SQLError)
    told = translated(kind(ADDED.sub("", text)))
    told.upstream = error.upstream
    return told


def _answer(result: object) -> Answer:
    """The one answer in *result*, checked: what is not of D1's form is no answer."""
    first = result[0] if isinstance(result, list) and len(result) == 1 else None
    found = first.get("results") if isinstance(first, dict) else None
    meta = first.get("meta") if isinstance(first, dict) else None
    if not isinstance(found, dict) or not isinstance(meta, dict):
        raise failure("malformed", Upstream(200, None))
    columns, rows = found.get("columns"), found.get("rows")
    if not isinstance(columns, list) or not isinstance(rows, list) or not all(_fits(row, len(columns)) for row in rows):
        raise failure("malformed", Upstream(200, None))
    if meta.get("changed_db") or meta.get("rows_written"):
        raise InternalError(
            "D1 says that the statement wrote to the database, which must never be.",
            advice="Report it with the statement, and use a token with `D1 Read` alone.",
        )
    return Answer([str(name) for name in columns], rows, _cost(meta))


def _fits(row: object, width: int) -> bool:
    """Whether *row* is a row of *width* values, a list among them being the bytes of a blob."""
    return isinstance(row, list) and len(row) == width and all(map(_is_value, row))


def _is_value(value: object) -> bool:
    if isinstance(value, list):
        return all(type(each) is int and 0 <= each < 256 for each in value)
    return not isinstance(value, dict | bool)


def _cost(meta: Mapping[str, Any]) -> Cost:
    region, served_by = meta.get("served_by_region"), meta.get("served_by")
    return Cost(
        rows_read=int(_number(meta.get("rows_read"))),
        duration_ms=round(_number(meta.get("duration")), 3),
        served_by=served_by if isinstance(served_by, str) else "remote",
        region=region if isinstance(region, str) else None,
    )


def _number(value: object) -> float:
    return value if isinstance(value, int | float) else 0
