"""Completion of prompt arguments and resource addresses from what exists."""

from collections.abc import Callable

import anyio
import mcp_types as types

from mcp_daan.app import App
from mcp_daan.errors import DaanError
from mcp_daan.server.briefs import LANGUAGES, PROMPTS
from mcp_daan.server.callers import Context, offered
from mcp_daan.server.offer import Offer
from mcp_daan.toolbox import run
from mcp_daan.tools import all_tools

MOST = 100


async def complete(
    app: App, offer: Offer, context: Context, params: types.CompleteRequestParams
) -> types.CompleteResult:
    """Values that begin with, or hold, what was typed so far; none that come from a tool that is not offered."""
    key = params.argument.name
    if isinstance(params.ref, types.PromptReference):
        known = PROMPTS.get(params.ref.name)
        source = SOURCES.get(key) if known is not None and key in known.arguments else None
    else:
        source = SOURCES.get(key)
    if key in BEHIND and not offered(offer, context).holds(BEHIND[key]):
        source = None
    values = await anyio.to_thread.run_sync(lambda: _values(source, app.for_call())) if source else []
    typed = params.argument.value.casefold()
    fitting = [value for value in values if typed in value.casefold()]
    fitting.sort(key=lambda value: (not value.casefold().startswith(typed), value))
    return types.CompleteResult(
        completion=types.Completion(values=fitting[:MOST], total=len(fitting), has_more=len(fitting) > MOST)
    )


def _values(source: Callable[[App], list[str]], app: App) -> list[str]:
    try:
        return [app.redact(value) for value in source(app)]
    except DaanError:  # nothing to offer; the call itself will say why
        return []


def _paths(app: App) -> list[str]:
    prefix = f"{app.knowledge.component}/"
    relative = [app.knowledge.relative(path) for path in app.knowledge.files()]
    return [path.removeprefix(prefix) for path in relative if path.startswith(prefix)]


def _databases(app: App) -> list[str]:
    return [f"remote:{each.name}" if each.location == "remote" else each.name for each in app.databases]


def _connections(app: App) -> list[str]:
    answer = run(all_tools()["tokens_health"], app, {"limit": MOST}).answer
    return [str(connection["id"]) for connection in answer["data"].get("connections", [])]


# The tool that shows the same values.
BEHIND = {"database": "d1_databases", "path": "knowledge_read", "connection": "tokens_health"}
SOURCES: dict[str, Callable[[App], list[str]]] = {
    "language": lambda app: list(LANGUAGES),
    "database": _databases,
    "path": _paths,
    "connection": _connections,
}
