"""The verdict on each connection: the first of the contract's rules that holds."""

from collections import Counter
from dataclasses import dataclass
from typing import Literal, get_args

from mcp_daan.cached import cached_property
from mcp_daan.tokens.loop import AHEAD, DAY, DEAD, REFRESH_DAYS, Loop, observe, starving
from mcp_daan.tokens.table import Table

Verdict = Literal[
    "missing_token",
    "plaintext_at_rest",
    "undecryptable",
    "needs_reauth",
    "duplicate_grant",
    "refresh_stuck",
    "degraded",
    "reauth_soon",
    "unknown",
    "healthy",
]
# Most urgent first; the rules are tried in this order too, `unknown` where a rule cannot be tried.
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)
Scope = Literal["one", "some", "all"]
SOON_DAYS = 23
NO_TOKEN = frozenset({"missing", "empty"})
PLAIN = frozenset({"plaintext", "opaque"})
SHUT = frozenset({"unopened", "other", "malformed"})
# Errors that may pass by themselves, or are not the connection's own.
PASSING = frozenset({"transient", "client", "unclear", "forbidden"})


@dataclass(frozen=True)
class Judged:
    """A table with its verdicts; *keyed*: a key of the right length was at hand."""

    table: Table
    now: float
    period: float
    keyed: bool
    loop: Loop
    same_token: frozenset[int]
    same_user: frozenset[int]
    lacking: tuple[str, ...]
    verdicts: list[Verdict]
    totals: Counter[Verdict]

    @cached_property
    def units(self) -> dict[str, Counter[str]]:
        """How often each unit of time was written, by role."""
        written = {"refreshed_at": self.table.success_unit, "expires_at": self.table.expires_unit}
        return {role: Counter(unit for unit in units if unit is not None) for role, units in written.items()}

    @cached_property
    def stamped(self) -> bool:
        """Whether most of Exact Online's tokens here have the form that it gives them."""
        table = self.table
        if not table.odd:
            return False
        opened = [
            index
            for index, (access, refresh, exact) in enumerate(zip(table.access, table.refresh, table.exact, strict=True))
            if exact and "opened" in (access, refresh)
        ]
        return len(opened) > 2 * sum(index in table.odd for index in opened)

    def usual_unit(self, role: str) -> str | None:
        """The unit in which most rows write the moment."""
        return next((unit for unit, _ in self.units[role].most_common(1)), None)

    def scope(self, verdict: Verdict) -> Scope:
        """Whether the verdict befell one row, some, or all of those that it could have befallen."""
        count = self.totals[verdict]
        possible = len(self.table)
        if verdict == "refresh_stuck":
            possible = self.loop.served
        elif verdict == "undecryptable":
            possible -= self.totals["missing_token"] + self.totals["plaintext_at_rest"]
        return "one" if count == 1 else "all" if count >= possible else "some"


def judge(table: Table, *, now: float, period: float, declared: bool, keyed: bool) -> Judged:
    """The verdicts on all rows at the moment *now*; *period* and *declared* are what the settings say of the loop."""
    loop = observe(table, now=now, period=period, declared=declared)
    judged = Judged(
        table=table,
        now=now,
        period=period,
        keyed=keyed,
        loop=loop,
        same_token=frozenset(table.same_token()),
        same_user=frozenset(table.same_user()),
        lacking=tuple(table.columns.missing),
        verdicts=[],
        totals=Counter(),
    )
    judged.verdicts.extend(_verdicts(judged))
    judged.totals.update(judged.verdicts)
    return judged


def superseded(table: Table, index: int) -> bool:
    """Whether the row's stored error is older than its last refresh."""
    error_at, success = table.error_at.get(index), table.success[index]
    return (
        error_at is not None
        and success is not None
        and table.success_from[index] == "refreshed_at"
        and error_at < success
    )


def expired(judged: Judged, index: int) -> bool:
    """Whether the refresh token has ended: by its own date, else by its age."""
    left = refresh_left(judged, index)
    return left is not None and left < 0


def refresh_left(judged: Judged, index: int) -> float | None:
    """The seconds that the refresh token has left; None where nothing tells."""
    ends, success = judged.table.refresh_expires[index], judged.table.success[index]
    if ends is not None:
        return ends - judged.now
    return None if success is None else success + REFRESH_DAYS * DAY - judged.now


def _verdicts(judged: Judged) -> list[Verdict]:
    """One verdict a row; rows about which nothing is peculiar, mostly nearly all, are told without trying the rules."""
    table, now = judged.table, judged.now
    peculiar: set[int] = {
        *table.fault, *table.failures, *table.dead_status, *table.left_plain, *judged.same_token, *judged.same_user
    }  # fmt: skip
    soon = now + (REFRESH_DAYS - SOON_DAYS) * DAY
    peculiar |= {index for index, at in enumerate(table.refresh_expires) if at is not None and at < soon}
    since, until = now - judged.loop.stuck_after, now + AHEAD
    facts = zip(table.access, table.refresh, table.success, strict=True)
    return [
        "healthy"
        if access == "opened" == refresh and success is not None and since <= success <= until and index not in peculiar
        else verdict_on(judged, index)
        for index, (access, refresh, success) in enumerate(facts)
    ]


def verdict_on(judged: Judged, index: int) -> Verdict:
    """The first rule that holds for the row."""
    table = judged.table
    states = {table.access[index], table.refresh[index]}
    if states & NO_TOKEN:
        return "missing_token"
    if states & PLAIN or index in table.left_plain:
        return "plaintext_at_rest"
    if judged.keyed and states & SHUT:
        return "undecryptable"
    fault = None if superseded(table, index) else table.fault.get(index)
    success = table.success[index]
    future = success is not None and success > judged.now + AHEAD
    if index in table.dead_status or fault in DEAD or expired(judged, index):
        return "needs_reauth"
    if index in judged.same_token or index in judged.same_user:
        return "duplicate_grant"
    if "absent" in states or success is None or future:
        return "unknown"
    if index in judged.loop.behind and (judged.loop.state != "on_demand" or starving(table, index, judged.period)):
        return "refresh_stuck"
    if fault in PASSING or (table.failures.get(index) and fault is None and not superseded(table, index)):
        return "degraded"
    left = refresh_left(judged, index)
    return "reauth_soon" if left is not None and left < (REFRESH_DAYS - SOON_DAYS) * DAY else "healthy"
