"""Tell what was found, what is missing, and how to mend it."""

import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict

from mcp_daan.app import App
from mcp_daan.errors import DaanError
from mcp_daan.setup import checks
from mcp_daan.setup.checks import Check

Look = Callable[[App], Iterator[Check]]
# By what each of them needs.
NOTHING: tuple[Look, ...] = (checks.program, checks.workspace)
A_WORKSPACE: tuple[Look, ...] = (checks.settings, checks.apps, checks.git)
SETTINGS: tuple[Look, ...] = (checks.knowledge, checks.databases, checks.key, checks.credentials)
ORDER = "mcp-daan workspace settings knowledge apps databases key credentials git node".split()


def run(app: App, as_json: bool) -> int:
    """Print the report; 1 if something needed is missing."""
    try:
        found = doctor(app)
        text = to_json(found) if as_json else report(found)
        sys.stdout.write(app.redact(text))
    finally:
        app.close()
    return 0 if fine(found) else 1


def doctor(app: App) -> list[Check]:
    """Everything that was looked at, in the order of the report. It raises nothing: what fails is a check too."""
    found: list[Check] = []
    for looks in (NOTHING, A_WORKSPACE, SETTINGS):
        if fine(found):
            found += [check for look in looks for check in _looked(look, app)]
    return sorted(found, key=lambda check: ORDER.index(check.subject))


def fine(found: list[Check]) -> bool:
    """Whether nothing that is needed is missing."""
    return all(check.state != "missing" for check in found)


def report(found: list[Check]) -> str:
    """The checks for a person: one line each, below it how to mend it."""
    lines = []
    for check in found:
        lines.append(f"{check.state:8} {check.subject:12} {_printable(check.found)}")
        if check.mend:
            lines.append(f"{'':21} -> {_printable(check.mend)}")
    missing = [check for check in found if check.state == "missing"]
    if missing:
        lines += ["", f"{len(missing)} needed {'thing is' if len(missing) == 1 else 'things are'} missing."]
    else:
        lines += ["", "Nothing that is needed is missing."]
    return "\n".join([*lines, ""])


def to_json(found: list[Check]) -> str:
    """The checks for a program."""
    return json.dumps({"ok": fine(found), "checks": [asdict(check) for check in found]}, ensure_ascii=True) + "\n"


def _looked(look: Look, app: App) -> Iterator[Check]:
    try:
        yield from look(app)
    except DaanError as error:
        yield Check(look.__name__, "missing", error.message, error.advice)


def _printable(text: str) -> str:
    # Names come from folders and configurations: nothing of them may steer the terminal.
    return "".join(each if each.isprintable() else "?" for each in text)
