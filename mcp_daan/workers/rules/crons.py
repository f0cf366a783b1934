"""Cron triggers: whether they can be read, and whether they run as often as the token loop must."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise

from mcp_daan.workers.configuration.reading import mapping, texts
from mcp_daan.workers.finding import Finding, found, name
from mcp_daan.workers.seen import Seen

_MONTHS = tuple("jan feb mar apr may jun jul aug sep oct nov dec".split())
# Cloudflare counts the days of the week from Sunday, 1, to Saturday, 7.
_DAYS = tuple("sun mon tue wed thu fri sat".split())
_FIELDS: tuple[tuple[int, int, tuple[str, ...]], ...] = (
    (0, 59, ()),
    (0, 23, ()),
    (1, 31, ()),
    (1, 12, _MONTHS),
    (0, 7, ("", *_DAYS)),
)
_SPECIAL = re.compile(r"[LW#?]", re.I)
_NAMED_DAY = re.compile(r"(?<![a-z])(?:sun|mon|tue|wed|thu|fri|sat)", re.I)
DAY = 24 * 60
# Long enough to see every month and leap day in a row of four years.
DAYS = 4 * 366


@dataclass(frozen=True)
class Loop:
    """The token loop as the workspace's settings tell of it; `declared`: they say that there is one."""

    period_seconds: int
    declared: bool


def cron_findings(seen: Seen, loop: Loop | None) -> Iterator[Finding]:
    """What is wrong with the triggers of each scope; *loop* where this app keeps tokens."""
    for scope in seen.config.scopes:
        crons = mapping(scope.own.get("triggers")).get("crons")
        for at, cron in enumerate(crons if isinstance(crons, list) else []):
            if isinstance(cron, str) and not _valid(cron):
                yield found(
                    "cron_invalid",
                    seen.config.shown,
                    f"{name(cron)} is no cron expression of five fields that Cloudflare reads: it refuses the deployment.",
                    'Write minute, hour, day of month, month, day of week (1 is Sunday), such as "*/5 * * * *"; seconds and'
                    " names such as @hourly are not known.",
                    line=seen.config.line(*scope.prefix, "triggers", "crons", at),
                )
    if loop is not None:
        yield from _loop(seen, loop)


def triggers_of(seen: Seen) -> list[str]:
    """The triggers of what is deployed."""
    return texts(mapping(seen.config.deployed.get("triggers")).get("crons"))


def cron_missing(seen: Seen, loop: Loop) -> Finding:
    """No app of the workspace has a trigger, though the settings speak of a loop."""
    minutes = max(1, loop.period_seconds // 60)
    return found(
        "cron_missing",
        seen.config.shown,
        f"daan.toml says that a loop refreshes tokens every {loop.period_seconds} s, and no app of the workspace has a cron"
        " trigger: unless something outside drives it, access tokens expire unnoticed.",
        seen.config.written(seen.config.deployed, "triggers", {"crons": [f"*/{minutes} * * * *"]}),
        line=seen.config.line(*seen.config.deployed.prefix),
    )


def _loop(seen: Seen, loop: Loop) -> Iterator[Finding]:
    scope = seen.config.deployed
    gaps = [gap for cron in triggers_of(seen) if _valid(cron) and (gap := longest_gap(cron)) is not None]
    if not gaps or len(gaps) < len(triggers_of(seen)) or min(gaps) * 60 <= loop.period_seconds:
        return
    minutes = max(1, loop.period_seconds // 60)
    yield found(
        "cron_slower_than_loop",
        seen.config.shown,
        f"Up to {min(gaps)} minutes pass between two runs of the cron trigger, and tokens are to be refreshed every"
        f" {loop.period_seconds} s: access tokens expire in between.",
        f'Write "*/{minutes} * * * *" in `triggers.crons`, or raise `period_seconds` under `[tokens]` in daan.toml.',
        line=seen.config.line(*scope.keys_of("triggers", "crons")),
        severity=None if loop.declared else "warning",
    )


def longest_gap(cron: str) -> int | None:
    """The most minutes between two runs of *cron*; None where that cannot be told."""
    if not _valid(cron) or any(_SPECIAL.search(_NAMED_DAY.sub("1", cron.split()[at])) for at in (2, 4)):
        return None
    minutes, hours, days, months, weekdays = (
        _numbers(field, *bounds) for field, bounds in zip(cron.split(), _FIELDS, strict=True)
    )
    of_day = sorted(hour * 60 + minute for hour in hours for minute in minutes)
    within = max((b - a for a, b in pairwise(of_day)), default=0)
    either = cron.split()[2] != "*" and cron.split()[4] != "*"
    start = date(2024, 1, 1)
    runs = []
    for offset in range(DAYS):
        day = start + timedelta(offset)
        fits = (day.day in days, bool({day.isoweekday() % 7 + 1} & {each or 1 for each in weekdays}))
        if day.month in months and (any(fits) if either else all(fits)):
            runs.append(offset)
    if not runs:
        return None
    apart = max((b - a for a, b in pairwise(runs)), default=DAYS)
    return max(within, (apart - 1) * DAY + of_day[0] + DAY - of_day[-1])


def _valid(cron: str) -> bool:
    fields = cron.split()
    return len(fields) == 5 and all(
        all(_part(part, *bounds) for part in field.split(",")) for field, bounds in zip(fields, _FIELDS, strict=True)
    )


def _part(part: str, low: int, high: int, names: tuple[str, ...]) -> bool:
    """Whether *part* of a field can be read: `*`, `5`, `MON-FRI`, `*/5`, `1-10/2`, and the days' `L`, `15W`, `2#1`."""
    if high in (31, 7) and re.fullmatch(
        r"(?i)L|\?|\d{1,2}W|LW|L-\d{1,2}|[1-7]L|[1-7]#[1-5]|(?:sun|mon|tue|wed|thu|fri|sat)(?:L|#[1-5])", part
    ):
        return True
    match = re.fullmatch(r"(?:\*|(\w+)(?:-(\w+))?)(?:/(\d{1,2}))?", part)
    if match is None or match[3] == "0" or (match[3] and int(match[3]) > high):
        return False
    ends = [_number(each, names, low) for each in (match[1], match[2]) if each is not None]
    return all(each is not None and low <= each <= high for each in ends)


def _numbers(field: str, low: int, high: int, names: tuple[str, ...]) -> set[int]:
    found: set[int] = set()
    for part in field.split(","):
        span, _, step = part.partition("/")
        first, _, last = span.partition("-")
        begin = low if span == "*" else _number(first, names, low)
        end = high if span == "*" or (step and not last) else _number(last or first, names, low)
        if begin is None or end is None:
            continue
        if begin <= end:
            found |= set(range(begin, end + 1, int(step or 1)))
        else:
            found |= {*range(begin, high + 1), *range(low, end + 1)}
    return found


def _number(word: str, names: tuple[str, ...], low: int) -> int | None:
    if word.isdigit() and word.isascii():
        return int(word)
    return low + names.index(word.lower()) if word.lower() in names else None
