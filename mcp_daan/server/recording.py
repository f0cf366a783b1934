"""A record of each request that shows or changes something, made around the SDK's handlers."""

from collections.abc import Callable
from typing import Any

import anyio
from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp.shared.exceptions import MCPError

from mcp_daan.server.callers import caller_of
from mcp_daan.server.offer import Offer
from mcp_daan.server.records import RECORDED, Clock, Sink, known_name


def recording(offer: Offer, *sinks: Sink) -> Callable[..., Any]:
    """A middleware that gives a record of each call to every one of *sinks*."""

    async def record(context: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
        if context.method not in RECORDED:
            return await call_next(context)
        name = known_name(offer, context.method, context.params or {})
        clock = Clock(caller_of(context).name, context.method, name)
        answer: dict[str, Any] = {}
        outcome: str | None = "failed"
        try:
            result = await call_next(context)
            content = result.get("structuredContent") if isinstance(result, dict) else None
            answer = content if isinstance(content, dict) else {}
            outcome = None if context.method == "tools/call" else "complete"
            return result
        except MCPError as error:
            outcome = "unknown" if context.method == "tools/call" else f"refused {error.error.code}"
            raise
        except anyio.get_cancelled_exc_class():
            outcome = "cancelled"
            raise
        finally:
            told = clock.record(answer, outcome)
            for sink in sinks:
                sink(told)

    return record
