"""What a client is told of a fault of ours outside the tools: that there was one, and nothing of its text."""

import logging
from typing import Any

import mcp_types as types
from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp.shared.exceptions import MCPError
from pydantic import ValidationError

from mcp_daan.toolbox import where

log = logging.getLogger("mcp_daan")


async def in_our_words(ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
    """Answer a request; the SDK would send the text of an unexpected failure, which may quote a value."""
    try:
        return await call_next(ctx)
    except (MCPError, ValidationError):  # the SDK answers these without what it was given
        raise
    except Exception as error:  # noqa: BLE001 - its text stays here
        log.error("%s failed: %s", ctx.method, where(error))
        raise MCPError(types.INTERNAL_ERROR, "The server failed; its log (stderr) says where.") from None
