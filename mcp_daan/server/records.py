"""A record of each call, for the audit and the metrics: who did what, never with which values."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from mcp_daan.server.briefs import PROMPTS
from mcp_daan.server.offer import BEHIND, Offer

# The requests that show or change something.
RECORDED = ("tools/call", "resources/read", "prompts/get")
LISTS = (
    "rows",
    "results",
    "lessons",
    "connections",
    "tables",
    "databases",
    "findings",
    "checks",
    "keys",
    "apps",
    "components",
    "files",
)


@dataclass(frozen=True)
class Record:
    """One call as it went.

    `name` is a tool, a prompt or the kind of a resource that exists, never what a caller made up.
    """

    who: str
    method: str
    name: str | None
    task_id: str | None
    component: str | None
    rows: int | None
    milliseconds: float
    outcome: str


Sink = Callable[[Record], None]


class Clock:
    """The time of one call, from here to its record."""

    def __init__(self, who: str, method: str, name: str | None) -> None:
        self._who, self._method, self._name = who, method, name
        self._started = time.perf_counter()

    def record(self, answer: Mapping[str, Any], outcome: str | None = None) -> Record:
        """The record of the call that was answered with *answer*; *outcome* where that does not say it."""
        return Record(
            who=self._who,
            method=self._method,
            name=self._name,
            task_id=answer.get("taskId"),
            component=answer.get("component"),
            rows=_rows(answer.get("data")),
            milliseconds=round((time.perf_counter() - self._started) * 1000, 1),
            outcome=outcome or _outcome(answer),
        )


def _outcome(answer: Mapping[str, Any]) -> str:
    error = answer.get("error")
    return str(error["code"]) if isinstance(error, dict) else str(answer.get("status", "complete"))


def known_name(offer: Offer, method: str, params: Mapping[str, Any]) -> str | None:
    """The tool, prompt or kind of resource that a request names, if there is one."""
    name, uri = params.get("name"), params.get("uri")
    if method == "resources/read":
        kinds = (*BEHIND, "daan://", "skill://")
        return next((kind for kind in kinds if isinstance(uri, str) and uri.startswith(kind)), None)
    known = PROMPTS if method == "prompts/get" else offer.tools
    return name if isinstance(name, str) and name in known else None


def _rows(data: object) -> int | None:
    if not isinstance(data, dict):
        return None
    if isinstance(data.get("rowCount"), int):
        return int(data["rowCount"])
    return next((len(data[name]) for name in LISTS if isinstance(data.get(name), list)), None)
