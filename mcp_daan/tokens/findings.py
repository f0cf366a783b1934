"""What only the whole table tells, beside its seals: columns, the loop, errors that many share, times."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from mcp_daan.tokens.finding import ENOUGH, Found, found
from mcp_daan.tokens.keys import Key, KeyProblem, KeyRing, wrong_length
from mcp_daan.tokens.loop import AHEAD, DEAD
from mcp_daan.tokens.seals import keys, seals
from mcp_daan.tokens.table import Table
from mcp_daan.tokens.verdicts import Judged, superseded
from mcp_daan.tokens.wording import age, off_by

SEVERITIES = ("error", "warning", "info")
# Connections refreshed within so many seconds of each other fell behind together.
AT_ONCE = 600
# A clock may be so many seconds fast before it is worth a word.
FAST = 60


def usable_keys(ring: KeyRing, table: Table) -> tuple[list[Key], list[KeyProblem]]:
    """The keys that count, once the table was read, and what is wrong with the others.

    Where nothing opens, a key whose value has another reading too is one of a wrong length.
    """
    opened = any(table.tally.keys.values())
    doubtful = [key for key in ring.keys if key.doubtful and not opened]
    usable = [key for key in ring.keys if key not in doubtful]
    problems = [*ring.problems, *(wrong_length(key.role) for key in doubtful)]
    # What a key in text may lack is said of one that serves; it may have been meant otherwise.
    problems += [remark for key in usable for remark in key.remarks if not key.doubtful or table.tally.opened[key]]
    return usable, list(dict.fromkeys(problems))


def findings(judged: Judged, problems: Sequence[KeyProblem]) -> list[Found]:
    """Every finding with the advice that belongs to it, errors first."""
    seen = [found(problem.code, problem.severity, problem.message, problem.advice) for problem in problems]
    for look in (_columns, keys, seals, _loop, _errors, _times):
        seen += look(judged)
    if any(problem.severity == "error" for problem in problems):
        seen = [each for each in seen if each[0].code != "key_absent"]
    return in_order(seen)


def in_order(seen: Iterable[Found]) -> list[Found]:
    """The findings, errors first."""
    return sorted(seen, key=lambda each: SEVERITIES.index(each[0].severity))


def _columns(judged: Judged) -> Iterator[Found]:
    if judged.lacking:
        roles = ", ".join(judged.lacking)
        yield found(
            "column_missing",
            "warning",
            f"No column of `{judged.table.columns.table}` was recognised as: {roles}.",
            f"Name the columns for {roles} under `[tokens] columns` in daan.toml.",
        )


def _loop(judged: Judged) -> Iterator[Found]:
    loop = judged.loop
    if loop.state == "stuck":
        yield found(
            "loop_stuck",
            "error",
            f"None of {loop.served} connections was refreshed in the last {age(loop.stuck_after)}.",
            "Look at the cron trigger, the last deployment and the client secret of the portal.",
            len(loop.behind),
        )
    elif loop.state == "running" and _dies_at_a_row(judged):
        yield found(
            "batch_dies",
            "error",
            "In the order of ids, every connection after a certain one is behind: the batch stops at a row.",
            "Look at the first connection that is behind and the one before it; let one failure not end the batch.",
            len(loop.behind),
        )
    elif loop.state == "running" and len(loop.behind) >= ENOUGH:
        yield found(
            "some_behind",
            "warning",
            f"Of {loop.served} connections {len(loop.behind)} are behind while the others are refreshed{_shared(judged)}.",
            "List them with `state` refresh_stuck, and look at what the refresh does with the first of them.",
            len(loop.behind),
        )


def _shared(judged: Judged) -> str:
    """What the rows that are behind have in common and the fresh ones have not."""
    loop, table = judged.loop, judged.table
    since = judged.now - loop.stuck_after
    fresh = [index for index, at in enumerate(table.success) if at is not None and at >= since and table.active[index]]
    moments = sorted(at for index in loop.behind if (at := table.success[index]) is not None)
    said = []
    if "provider" in table.columns and {table.provider[index] for index in loop.behind}.isdisjoint(
        table.provider[index] for index in fresh
    ):
        said.append("they are of providers of which none is fresh")
    if moments[-1] - moments[0] <= AT_ONCE:
        said.append(f"they fell behind at one moment, {age(judged.now - moments[-1])} ago")
    return f"; {' and '.join(said)}" if said else ""


def _dies_at_a_row(judged: Judged) -> bool:
    """Whether the rows that are behind are exactly the last ones by id."""
    loop, table = judged.loop, judged.table
    since = judged.now - loop.stuck_after
    fresh = [table.id[index] for index, at in enumerate(table.success) if at is not None and at >= since]
    behind = [table.id[index] for index in loop.behind]
    ids: list[Any] = [*fresh, *behind]
    if len(behind) < ENOUGH or len(fresh) < ENOUGH or len({type(each) for each in ids}) != 1:
        return False
    return isinstance(ids[0], int | str) and bool(max(fresh) < min(behind))


def _errors(judged: Judged) -> Iterator[Found]:
    table = judged.table
    current = {index: fault for index, fault in table.fault.items() if not superseded(table, index)}
    counts = Counter(current.values())
    if counts["broken"]:
        yield found(
            "chain_broken",
            "error" if counts["broken"] >= ENOUGH else "warning",
            "Exact Online says that refresh tokens were used before: something else refreshes them too, such as a second"
            " environment on the same client id, two refreshes at once, or a write that was lost.",
            "Refresh in one environment only, claim the row before refreshing it, and write both tokens in one step.",
            counts["broken"],
        )
    if counts["too_early"]:
        yield found(
            "refresh_too_early",
            "warning",
            "Exact Online refused refreshes that came before the last access token had ended.",
            "Refresh at 570 s at the earliest, in one environment only: two loops on one application disturb each other.",
            counts["too_early"],
        )
    if counts["client"]:
        yield found(
            "client_rejected",
            "error",
            "The provider rejects the application's client id or secret, which touches every connection.",
            "Restore the client secret of the portal (`wrangler secret put`), then watch the next refresh.",
            counts["client"],
        )
    hidden = sum(fault in DEAD and table.status[index] == "fine" for index, fault in current.items())
    if hidden:
        yield found(
            "status_contradicts",
            "warning",
            f"`{table.columns.name('status')}` calls connections well whose stored error says that they are dead.",
            "Let the refresh write the status when the provider gives a definitive error.",
            hidden,
        )


def _times(judged: Judged) -> Iterator[Found]:
    table = judged.table
    for role, units in judged.units.items():
        if len(units) > 1:
            yield found(
                "units_mixed",
                "warning",
                f"`{table.columns.name(role)}` is written in {' and in '.join(sorted(units))}.",
                f"Write `{table.columns.name(role)}` in one unit, and convert the other rows.",
                sum(units.values()) - max(units.values()),
            )
    ahead = sum(at is not None and judged.now + FAST < at <= judged.now + AHEAD for at in table.success)
    if ahead:
        yield found(
            "clock_ahead",
            "warning",
            f"`{table.columns.name('refreshed_at')}` lies in the future: the clock that wrote it is fast, or its zone is"
            " missing.",
            "Write the moment in UTC, from `Date.now()` in the Worker.",
            ahead,
        )
    wrong = len(table.mistakes) + sum(bool(off_by(judged, i)) for i in table.uneven if i not in table.mistakes)
    if wrong:
        yield found(
            "expiry_arithmetic",
            "warning",
            f"`{table.columns.name('expires_at')}` is not 600 s after `{table.columns.name('refreshed_at')}`, as Exact"
            " Online's `expires_in` says.",
            "Add Number(expires_in) to the moment of the refresh in one unit; Exact Online sends it as text.",
            wrong,
        )
