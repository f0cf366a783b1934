"""What a check may say, and what most checks need to say it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import urlsplit

from mcp_daan.protocol import Severity
from mcp_daan.tokens.oauth.addresses import is_loopback
from mcp_daan.tokens.oauth.seen import Document, Seen, shown

Status = Literal["pass", "fail", "warn", "blocked", "skipped"]


@dataclass(frozen=True)
class Outcome:
    """What was observed, and whether it is as expected; a *severity* of its own goes before the check's."""

    status: Literal["holds", "lacks", "blocked", "skipped"]
    observed: str
    severity: Severity | None = None


class Unjudged(Exception):
    """A check cannot be judged; the outcome says why."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.observed)
        self.outcome = outcome


def holds(observed: object) -> Outcome:
    """As expected."""
    return Outcome("holds", shown(observed))


def lacks(observed: object, severity: Severity | None = None) -> Outcome:
    """Not as expected."""
    return Outcome("lacks", shown(observed), severity)


def blocked(observed: object) -> Outcome:
    """Something stood in between, so nothing is known."""
    return Outcome("blocked", shown(observed))


def skipped(observed: object) -> Outcome:
    """There is nothing to judge."""
    return Outcome("skipped", shown(observed))


def when(good: bool, observed: object, otherwise: object = None) -> Outcome:
    """As expected if *good*; *otherwise* is what is observed if not."""
    return holds(observed) if good else lacks(observed if otherwise is None else otherwise)


def answered(seen: Seen | None, missing: str) -> Seen:
    """*seen*, if it is an answer of the portal's own; else Unjudged."""
    if seen is None:
        raise Unjudged(skipped(missing))
    if seen.stopped:
        raise Unjudged(blocked(seen.stopped))
    if seen.status is None:
        raise Unjudged(skipped(f"{seen.reason} (AS-EP)"))
    return seen


def stopped(documents: Sequence[Document]) -> str:
    """Why none of *documents* can be judged, if one could not be looked at and no other was served."""
    if any(each.value is not None for each in documents):
        return ""
    return next((each.stopped for each in documents if each.stopped), "")


def strings(value: Mapping[str, Any], name: str) -> list[str] | None:
    """The texts of a list, or None if it is absent; Unjudged with a fault if it is something else."""
    found = value.get(name)
    if found is None:
        return None
    if not isinstance(found, list) or not all(isinstance(each, str) for each in found):
        raise Unjudged(lacks(f"`{name}` is not a list of texts"))
    return found


def secure(url: str) -> bool:
    """Whether *url* is absolute and https; on this machine http will do."""
    try:
        parts = urlsplit(url)
        return (
            bool(parts.hostname)
            and "@" not in parts.netloc
            and (parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname or "")))
        )
    except ValueError:
        return False


def listing(values: Sequence[str]) -> str:
    """Values in a row, or that there are none."""
    return ", ".join(values) if values else "an empty list"


def path_of(url: str) -> str:
    """The path of *url*, or all of what is no URL."""
    try:
        return urlsplit(url).path or "/"
    except ValueError:
        return url


def origin_text(url: str) -> str:
    """Scheme, host and port of *url* as they are written, in small letters."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return f"{parts.scheme}://{parts.netloc}".lower()
