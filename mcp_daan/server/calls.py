"""Tools over MCP: the list, and one call."""

from collections.abc import Iterable
from typing import Any

import anyio
import mcp_types as types
from mcp.shared.exceptions import MCPError

from mcp_daan.app import App
from mcp_daan.server.callers import Context, offered
from mcp_daan.server.offer import Offer
from mcp_daan.stopping import Stop, current
from mcp_daan.toolbox import Tool, run


def described(tool: Tool) -> types.Tool:
    """*tool* as `tools/list` shows it."""
    return types.Tool(
        name=tool.name,
        title=tool.title,
        description=tool.description,
        input_schema=tool.input_schema,
        output_schema=tool.output_schema,
        annotations=types.ToolAnnotations(
            read_only_hint=tool.reads_only,
            destructive_hint=False,
            idempotent_hint=tool.reads_only,
            open_world_hint=False,
        ),
    )


def listed(tools: Iterable[Tool]) -> list[dict[str, Any]]:
    """The `tools` array of `tools/list`, as it goes over the wire."""
    return [described(tool).model_dump(mode="json", by_alias=True, exclude_none=True) for tool in tools]


async def list_tools(
    offer: Offer, context: Context, params: types.PaginatedRequestParams | None
) -> types.ListToolsResult:
    """Every tool that the caller may use; the list never changes while the server runs."""
    return types.ListToolsResult(tools=[described(tool) for tool in offered(offer, context).tools.values()])


async def call_tool(
    app: App, offer: Offer, context: Context, params: types.CallToolRequestParams
) -> types.CallToolResult:
    """One call, run in a thread of its own; progress goes to a client that asked for it."""
    tool = offered(offer, context).find(params.name)
    if tool is None:
        raise MCPError(types.INVALID_PARAMS, "There is no such tool; `tools/list` names them all.")

    stop = Stop()

    def progress(done: float, total: float | None, message: str) -> None:
        stop.check()
        anyio.from_thread.run(context.session.report_progress, done, total, app.redact(message))

    def work() -> types.CallToolResult:
        said = run(tool, app.for_call(progress), params.arguments or {})
        text = types.TextContent(type="text", text=said.text)
        return types.CallToolResult(content=[text], structured_content=said.answer, is_error=said.failed)

    current.set(stop)
    try:
        return await anyio.to_thread.run_sync(work, abandon_on_cancel=True)
    except anyio.get_cancelled_exc_class():
        stop.now()
        raise
