"""A record of each call, for the audit and the metrics: who did what, never with which values."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import anyio
from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp.shared.exceptions import MCPError

from mcp_daan.server.callers import caller_of
from mcp_daan.server.offer import BEHIND, Offer
from mcp_daan.server.prompts import PROMPTS

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


def recording(offer: Offer, *sinks: Callable[[Record], None]) -> Callable[..., Any]:
    """A middleware that gives a record of each call to every one of *sinks*."""

    async def record(context: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
        if context.method not in RECORDED:
            return await call_next(context)
        started, outcome = time.perf_counter(), "failed"
        answer: Mapping[str, Any] = {}
        try:
            result = await call_next(context)
            answer = _answer(result)
            outcome = _outcome(answer) if context.method == "tools/call" else "complete"
            return result
        except MCPError as error:
            outcome = "unknown" if context.method == "tools/call" else f"refused {error.error.code}"
            raise
        except anyio.get_cancelled_exc_class():
            outcome = "cancelled"
            raise
        finally:
            milliseconds = round((time.perf_counter() - started) * 1000, 1)
            told = Record(
                who=caller_of(context).name,
                method=context.method,
                name=known_name(offer, context.method, context.params or {}),
                task_id=answer.get("taskId"),
                component=answer.get("component"),
                rows=_rows(answer.get("data")),
                milliseconds=milliseconds,
                outcome=outcome,
            )
            for sink in sinks:
                sink(told)

    return record


def _answer(result: HandlerResult) -> Mapping[str, Any]:
    content = result.get("structuredContent") if isinstance(result, dict) else None
    return content if isinstance(content, dict) else {}


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
