"""The answer of `oauth_check`: one line a check."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import cast

from pydantic import Field

from mcp_daan.protocol import Model, Severity
from mcp_daan.tokens.oauth import issuer, resource
from mcp_daan.tokens.oauth.judging import Outcome, Status, Unjudged
from mcp_daan.tokens.oauth.survey import Survey
from mcp_daan.tokens.oauth.table import CHECKS

STATUSES: tuple[Status, ...] = ("fail", "blocked", "warn", "skipped", "pass")
JUDGES = {**resource.JUDGES, **issuer.JUDGES}
GRAVITY: dict[Severity, int] = {"error": 0, "warning": 1, "info": 2}


class Checked(Model):
    """One check, done: `observed` is of the network."""

    id: str
    status: Status
    severity: Severity
    observed: str
    expected: str
    spec: str


class OAuthCheck(Model):
    """The checks, the gravest first; `counts` are of all of them, `registered` are clients that a probe left behind."""

    url: str
    checks: list[Checked]
    counts: dict[Status, int]
    registered: list[str] = Field(default_factory=list)
    next_cursor: str | None = None


def judged(survey: Survey) -> dict[str, Outcome]:
    """The outcome of every check that needs nothing but the survey."""
    return {name: outcome(judge, survey) for name, judge in JUDGES.items()}


def outcome(judge: Callable[[Survey], Outcome], survey: Survey) -> Outcome:
    """What *judge* says, or why it cannot."""
    try:
        return judge(survey)
    except Unjudged as reason:
        return reason.outcome


def report(outcomes: Mapping[str, Outcome]) -> list[Checked]:
    """The lines of the answer, what must be mended first."""
    done = [_line(name, outcomes[name]) for name in CHECKS if name in outcomes]
    return sorted(done, key=lambda each: (STATUSES.index(each.status), GRAVITY[each.severity]))


def counts(checks: Iterable[Checked]) -> dict[Status, int]:
    """How many checks have each status."""
    found = Counter(each.status for each in checks)
    return {status: found[status] for status in STATUSES}


def _line(name: str, outcome: Outcome) -> Checked:
    check = CHECKS[name]
    severity, status = outcome.severity or check.severity, outcome.status
    if status == "lacks":
        shown: str = "fail" if severity == "error" else "warn"
    else:
        shown = "pass" if status == "holds" else status
    if status in ("blocked", "skipped"):
        # Nothing is known to be wrong.
        severity = "warning" if status == "blocked" else "info"
    return Checked(
        id=name,
        status=cast(Status, shown),
        severity=severity,
        observed=outcome.observed,
        expected=check.expected,
        spec=check.spec,
    )
