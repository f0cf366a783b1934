"""What validation can find, and how grave each finding is."""

from typing import Literal

from pydantic import PrivateAttr

from mcp_daan.knowledge.validation.mending import Mend
from mcp_daan.protocol import Component, Model, Severity

Code = Literal[
    "missing_file",
    "stale_file",
    "unchecked",
    "table_missing",
    "table_undocumented",
    "column_missing",
    "column_undocumented",
    "column_type_differs",
    "index_missing",
    "migration_unapplied",
    "migration_unknown",
    "migration_edited",
    "broken_link",
    "version_behind",
    "limit_outdated",
    "lesson_unmerged",
]

# error: who acts on it breaks something. warning: mend it soon. info: nobody could tell.
SEVERITIES: dict[Code, Severity] = {
    "missing_file": "error",  # the workflow's first step cannot be done
    "stale_file": "warning",
    "unchecked": "info",  # neither right nor wrong
    "table_missing": "error",  # a statement written from this document fails
    "table_undocumented": "warning",
    "column_missing": "error",  # a statement written from this document fails
    "column_undocumented": "warning",
    "column_type_differs": "warning",
    "index_missing": "warning",  # the statement works and reads every row
    "migration_unapplied": "warning",  # usual between a merge and a deployment
    "migration_unknown": "error",  # the database cannot be made again from the files
    "migration_edited": "error",  # two databases of one name differ, and wrangler will never tell
    "broken_link": "warning",
    "version_behind": "warning",
    "limit_outdated": "warning",
    "lesson_unmerged": "warning",
}
# A commit that only matches the pattern may hold a lesson; one that adds a lesson's file does.
MATCHING_COMMIT: Severity = "info"
# What a pending migration will bring is missing for now only.
UNTIL_APPLIED: Severity = "warning"
# A table that no applied migration makes was rather made by hand than by a file that changed since.
MADE_BY_HAND: Severity = "warning"

_GRAVEST_FIRST: dict[Severity, int] = {"error": 0, "warning": 1, "info": 2}
_LONGEST = 400


class Finding(Model):
    """One thing that is not as it should be; `path` and `line` lead to it, `suggestion` is what may be meant.

    `found` is what stands there, `expected` what holds; `patch` mends the file, as `git apply` takes it in the root.
    """

    code: Code
    severity: Severity
    path: str
    line: int | None = None
    message: str
    found: str | None = None
    expected: str | None = None
    suggestion: str | None = None
    patch: str | None = None
    component: Component | None = None
    _mend: Mend | None = PrivateAttr(None)

    @property
    def mend(self) -> Mend | None:
        """What a patch would have to do."""
        return self._mend


def finding(
    code: Code,
    path: str,
    message: str,
    *,
    line: int | None = None,
    found: str | None = None,
    expected: str | None = None,
    suggestion: str | None = None,
    component: Component | None = None,
    severity: Severity | None = None,
    mend: Mend | None = None,
) -> Finding:
    """A finding with its code's severity, unless *severity* says otherwise."""
    made = Finding(
        code=code,
        severity=severity or SEVERITIES[code],
        path=path,
        line=line,
        message=message if len(message) <= _LONGEST else f"{message[: _LONGEST - 1]}…",
        found=_cut(found),
        expected=_cut(expected),
        suggestion=suggestion,
        component=component,
    )
    made._mend = mend
    return made


def _cut(value: str | None) -> str | None:
    return value if value is None or len(value) <= _LONGEST else f"{value[: _LONGEST - 1]}…"


def in_order(findings: list[Finding]) -> list[Finding]:
    """The findings once each: gravest first, then by path and line."""
    unique = {(each.code, each.path, each.line, each.message): each for each in findings}
    return sorted(
        unique.values(),
        key=lambda each: (_GRAVEST_FIRST[each.severity], each.path, each.line or 0, each.code, each.message),
    )
