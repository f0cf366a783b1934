"""The answer of `tokens_health`: its shapes on the wire, and how verdicts become them."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Literal, overload

from pydantic import Field

from mcp_daan.protocol import Model
from mcp_daan.tokens.apikeys import KeyCheck
from mcp_daan.tokens.finding import Finding
from mcp_daan.tokens.grants import Grants
from mcp_daan.tokens.loop import DAY, REFRESH_DAYS
from mcp_daan.tokens.loop import State as LoopState
from mcp_daan.tokens.verdicts import VERDICTS, Judged, Scope, Verdict, refresh_left
from mcp_daan.tokens.wording import Confidence, confidence, evidence, next_step

SAFE = 2**53
LONGEST_ID = 200


class Connection(Model):
    """The verdict on one connection; times in seconds, negative where they lie back."""

    id: int | str | None
    provider: str | None
    verdict: Verdict
    confidence: Confidence
    access_expires_in: int | None
    refresh_age_seconds: int | None
    refresh_expires_in: int | None
    scope: Scope
    evidence: list[str]
    next_step: str


class LoopReport(Model):
    """The program that refreshes tokens, as the table shows it."""

    state: LoopState
    last_refresh_at: str | None
    median_interval_seconds: int | None


class Crypto(Model):
    """What the sealed values have in common, counted by value: a connection has two."""

    formats: dict[str, int]
    keys: dict[Literal["current", "previous"], int] = Field(description="How many values each key opened.")
    nonce_reuse: int
    duplicates: int
    undecryptable: int


class ApiKeys(Model):
    """The checks on the table of API keys; none where there is no such table."""

    checks: list[KeyCheck]


class Credentials(Model):
    """The Cloudflare credentials."""

    source: str
    status: str
    expires_on: str | None
    can_read: bool | None
    can_write: bool | None


class TokensHealth(Model):
    """Which connections are well, which are about to die, and why."""

    as_of: str
    counts: dict[Verdict, int] = Field(description="Of all connections of `provider`, whatever `state` asks for.")
    connections: list[Connection]
    loop: LoopReport
    crypto: Crypto
    api_keys: ApiKeys
    findings: list[Finding]
    grants: Grants | None = None
    cloudflare: Credentials | None = None
    next_cursor: str | None = None


class Listing(Sequence[Connection]):
    """The connections asked for, most urgent first; each is put into words only when it is looked at."""

    def __init__(self, judged: Judged, *, state: str | None, provider: str | None) -> None:
        self._judged = judged
        asked = None if provider is None else provider.casefold()
        hidden = "provider" in judged.table.columns.hidden
        by_verdict: dict[Verdict, list[int]] = {verdict: [] for verdict in VERDICTS}
        for index, verdict in enumerate(judged.verdicts):
            if asked is None or (not hidden and (judged.table.provider[index] or "").casefold() == asked):
                by_verdict[verdict].append(index)
        self.counts: dict[Verdict, int] = {verdict: len(rows) for verdict, rows in by_verdict.items()}
        self._groups = [rows for verdict, rows in by_verdict.items() if state in (None, verdict)]

    def _urgency(self, index: int) -> tuple[bool, float, int]:
        judged = self._judged
        success = judged.table.success[index]
        ends = judged.table.refresh_expires[index]
        # What dies first comes first.
        dies = ends if ends is not None else success + REFRESH_DAYS * DAY if success is not None else 0.0
        return not judged.table.active[index], dies, index

    def __len__(self) -> int:
        return sum(map(len, self._groups))

    @overload
    def __getitem__(self, at: int) -> Connection: ...
    @overload
    def __getitem__(self, at: slice) -> list[Connection]: ...
    def __getitem__(self, at: int | slice) -> Connection | list[Connection]:
        if not isinstance(at, slice):
            return self[at : at + 1][0]
        first, last, _ = at.indices(len(self))
        found: list[int] = []
        for rows in self._groups:
            # Only the verdicts that the page touches are put in order: the healthy ones are mostly many.
            if first < len(rows) and last > 0:
                found += sorted(rows, key=self._urgency)[max(first, 0) : last]
            first, last = first - len(rows), last - len(rows)
        return [connection(self._judged, index) for index in found]


def connection(judged: Judged, index: int) -> Connection:
    """The row in words."""
    table, now = judged.table, judged.now
    verdict, success, expires = judged.verdicts[index], table.success[index], table.expires[index]
    left = refresh_left(judged, index)
    return Connection(
        id=None if "id" in table.columns.hidden else _identity(table.id[index]),
        provider=None if "provider" in table.columns.hidden else table.provider[index],
        verdict=verdict,
        confidence=confidence(judged, index),
        access_expires_in=None if expires is None else round(expires - now),
        refresh_age_seconds=None if success is None else round(now - success),
        refresh_expires_in=None if left is None else round(left),
        scope=judged.scope(verdict),
        evidence=evidence(judged, index),
        next_step=next_step(judged, index),
    )


def loop_report(judged: Judged) -> LoopReport:
    """The loop in words."""
    loop = judged.loop
    return LoopReport(
        state=loop.state,
        last_refresh_at=None if loop.last is None else iso(loop.last),
        median_interval_seconds=None if loop.interval is None else round(loop.interval),
    )


def crypto(judged: Judged) -> Crypto:
    """What the sealed values have in common."""
    table, tally = judged.table, judged.table.tally
    shut = [state in ("unopened", "other", "malformed") for states in (table.access, table.refresh) for state in states]
    return Crypto(
        formats=dict(tally.formats.most_common()),
        keys=tally.keys,
        nonce_reuse=tally.nonce_reuse,
        duplicates=tally.duplicates,
        undecryptable=sum(shut) if judged.keyed else 0,
    )


def iso(seconds: float) -> str:
    """The moment as ISO in UTC, to the second."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _identity(value: Any) -> int | str | None:
    if isinstance(value, int):
        return value if -SAFE < value < SAFE else str(value)
    if isinstance(value, bytes):
        value = value.decode() if value.isascii() and value.decode().isprintable() else value[:LONGEST_ID].hex()
    return None if value is None else str(value)[:LONGEST_ID]
