"""Does the program that refreshes tokens run? Told from when each connection was last refreshed."""

from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import Literal

from mcp_daan.tokens.moments import ACCESS_SECONDS
from mcp_daan.tokens.table import Table

State = Literal["running", "on_demand", "stuck", "unknown"]
HOUR, DAY = 3600, 86400
# Unused this long, Exact Online's refresh token is taken to be dead; the provider promises no exact day.
REFRESH_DAYS = 30
# A moment so far ahead is no clock that runs fast: it was not understood.
AHEAD = DAY
# Where refreshing happens on demand, idle connections lie days apart; a loop leaves those behind close together.
SPREAD = DAY
QUIET_SPREAD = 3 * DAY
ENOUGH = 8
ENOUGH_QUIET = 5
# Connections refreshed within so many seconds of each other belong to one batch.
SAME_BATCH = 30
# What keeps a loop from refreshing a connection whatever its own health.
UNSERVED = frozenset({"missing", "empty", "unopened", "other", "malformed", "absent"})
DEAD = frozenset({"dead", "broken", "serialise", "revoked"})


@dataclass(frozen=True)
class Loop:
    """The loop's state, and which rows of those that it should serve are behind."""

    state: State
    last: float | None
    interval: float | None
    stuck_after: float
    served: int
    behind: frozenset[int]


def observe(table: Table, *, now: float, period: float, declared: bool) -> Loop:
    """The loop as the table shows it; *declared*: the settings say that there is one, with *period* seconds."""
    stuck_after = 2 * period + ACCESS_SECONDS
    oldest, newest, fresh_from = now - REFRESH_DAYS * DAY, now + AHEAD, now - stuck_after
    dead = table.dead_status | {index for index, fault in table.fault.items() if fault in DEAD}
    served = [
        (index, success)
        for index, (success, active, refresh) in enumerate(zip(table.success, table.active, table.refresh, strict=True))
        if success is not None and active and oldest <= success <= newest and refresh not in UNSERVED
        if index not in dead
    ]
    fresh = [(index, success) for index, success in served if success >= fresh_from]
    behind = [(index, success) for index, success in served if success < fresh_from]
    return Loop(
        state=_state(table, fresh, behind, now=now, period=period, stuck_after=stuck_after, declared=declared),
        last=max((success for _, success in served), default=None),
        interval=_interval([success for _, success in fresh], now),
        stuck_after=stuck_after,
        served=len(served),
        behind=frozenset(index for index, _ in behind),
    )


def starving(table: Table, index: int, period: float) -> bool:
    """Whether the row was used after its access token had ended, and was not refreshed for it."""
    used, success = table.used[index], table.success[index]
    return used is not None and success is not None and used > success + ACCESS_SECONDS + period


def _state(
    table: Table,
    fresh: list[tuple[int, float]],
    behind: list[tuple[int, float]],
    *,
    now: float,
    period: float,
    stuck_after: float,
    declared: bool,
) -> State:
    if not fresh and not behind:
        return "unknown"
    if not behind:
        return "running"
    used = table.used
    spread = _spread([success for _, success in behind])
    if any(used[index] is not None for index, _ in behind):
        # A loop refreshes whether or not a connection is used; on demand only the used ones are fresh.
        idle_but_fresh = any((used[index] or 0) < now - stuck_after for index, _ in fresh)
        any_starving = any(starving(table, index, period) for index, _ in behind)
        if not any_starving and not idle_but_fresh and (fresh or spread > SPREAD):
            return "on_demand"
    if not fresh:
        return "on_demand" if not declared and len(behind) >= ENOUGH_QUIET and spread > QUIET_SPREAD else "stuck"
    few = len(fresh) < 0.4 * (len(fresh) + len(behind))
    many = len(fresh) + len(behind) >= ENOUGH
    return "on_demand" if not declared and few and many and spread > SPREAD else "running"


def _spread(moments: list[float]) -> float:
    """How far apart the middle four fifths of *moments* lie."""
    ordered = sorted(moments)
    edge = len(ordered) // 10
    return ordered[-1 - edge] - ordered[edge]


def _interval(moments: list[float], now: float) -> float | None:
    """About how long one refresh is after the one before it; None where *moments* do not tell.

    Where batches show, the median time between them. Where each connection has its own time, twice the median age:
    a moment taken at random falls in the middle of the interval.
    """
    batches: list[list[float]] = []
    for at in sorted(moments):
        if not batches or at - batches[-1][-1] > SAME_BATCH:
            batches.append([])
        batches[-1].append(at)
    if any(batch[-1] - batch[0] > 2 * SAME_BATCH for batch in batches):
        return 2 * (now - median(moments))
    gaps = [later[0] - earlier[0] for earlier, later in pairwise(batches)]
    return median(gaps) if gaps else None
