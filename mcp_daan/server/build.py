"""The MCP server of one app, on the SDK's low-level `Server`."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from mcp.server.caching import CacheHint
from mcp.server.context import CallNext, HandlerResult, ServerMiddleware, ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.server.lowlevel.server import NotificationOptions
from mcp.server.models import InitializationOptions

from mcp_daan import __version__
from mcp_daan.app import App
from mcp_daan.server.callers import LOCAL, NOBODY, Caller, caller_of
from mcp_daan.server.calls import call_tool, list_tools
from mcp_daan.server.completion import complete
from mcp_daan.server.faults import in_our_words
from mcp_daan.server.instructions import instructions
from mcp_daan.server.offer import Offer
from mcp_daan.server.prompts import get_prompt, list_prompts
from mcp_daan.server.resources import list_resources, list_templates, read_resource
from mcp_daan.server.skills import add_skills
from mcp_daan.server.subscriptions import Subscriptions

Watch = ServerMiddleware[Any]
HOUR = 3_600_000


def make_server(
    app: App,
    offer: Offer,
    *,
    shared: bool = False,
    sessions: bool = True,
    watches: Sequence[Watch] = (),
    opened: Callable[[Subscriptions], None] = lambda subscriptions: None,
) -> Server[Caller]:
    """A server that offers *offer* and answers from *app*; closing the app is the caller's.

    *shared* says that callers differ in what they may use, so that no answer to one is kept for another.
    Without *sessions* there is no way to tell a client of old that a resource changed, and it is not promised.
    *watches* see every request; *opened* is given the subscriptions, to end them.
    """
    subscriptions = Subscriptions(app, offer)
    opened(subscriptions)

    steady = CacheHint(ttl_ms=HOUR, scope="private" if shared else "public")
    server: Server[Caller] = Server(
        "mcp-daan",
        version=__version__,
        title="Daan",
        instructions=instructions(offer),
        lifespan=partial(subscriptions.lifespan, NOBODY if shared else LOCAL),
        cache_hints={
            "tools/list": steady,
            "prompts/list": steady,
            "resources/templates/list": steady,
            "server/discover": steady,
        },
        # No argument of ours is repeated in a header, so there is nothing to look up in the list at each call.
        get_tool_input_schema=lambda name: None,
        on_list_tools=partial(list_tools, offer),
        on_call_tool=partial(call_tool, app, offer),
        on_list_resources=partial(list_resources, app, offer),
        on_list_resource_templates=partial(list_templates, offer),
        on_read_resource=partial(read_resource, app, offer),
        on_subscribe_resource=subscriptions.subscribe if sessions else None,
        on_unsubscribe_resource=subscriptions.unsubscribe if sessions else None,
        on_subscriptions_listen=subscriptions.listen,
        on_list_prompts=partial(list_prompts, offer),
        on_get_prompt=partial(get_prompt, app, offer),
        on_completion=partial(complete, app, offer),
    )
    add_skills(server, offer, steady.scope)
    server.middleware += [in_our_words, partial(_instructed, offer), *watches]
    return server


def options(server: Server[Caller]) -> InitializationOptions:
    """What `initialize` answers."""
    return server.create_initialization_options(NotificationOptions(resources_changed=True))


async def _instructed(offer: Offer, context: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
    """A caller is told of no tool that it may not use."""
    result = await call_next(context)
    if context.method in ("initialize", "server/discover") and isinstance(result, dict):
        result["instructions"] = instructions(caller_of(context).offer(offer))
    return result
