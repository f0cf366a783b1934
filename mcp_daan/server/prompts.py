"""Prompts over MCP: the list, and one of them filled in."""

from collections.abc import Mapping

import anyio
import mcp_types as types
from mcp.shared.exceptions import MCPError

from mcp_daan.app import App
from mcp_daan.server.briefs import LANGUAGES, PROMPTS, Brief, filled
from mcp_daan.server.callers import Context, offered
from mcp_daan.server.offer import Offer

ARGUMENT_LENGTH = 20_000


async def list_prompts(
    offer: Offer, context: Context, params: types.PaginatedRequestParams | None
) -> types.ListPromptsResult:
    """Every prompt whose tools the caller may use, with its arguments."""
    shown = offered(offer, context)
    return types.ListPromptsResult(
        prompts=[_listed(name, brief) for name, brief in PROMPTS.items() if shown.holds(*brief.needs)]
    )


async def get_prompt(
    app: App, offer: Offer, context: Context, params: types.GetPromptRequestParams
) -> types.GetPromptResult:
    """One prompt, filled in."""
    brief, shown = PROMPTS.get(params.name), offered(offer, context)
    if brief is None or not shown.holds(*brief.needs):
        raise MCPError(types.INVALID_PARAMS, "There is no such prompt; `prompts/list` names them all.")
    given = dict(params.arguments or {})
    _check(brief, given)
    text = await anyio.to_thread.run_sync(lambda: filled(app.for_call(), shown, params.name, given))
    message = types.PromptMessage(role="user", content=types.TextContent(type="text", text=text))
    return types.GetPromptResult(description=brief.description, messages=[message])


def _listed(name: str, brief: Brief) -> types.Prompt:
    arguments = [
        types.PromptArgument(name=each, description=description, required=place < brief.required)
        for place, (each, description) in enumerate(brief.arguments.items())
    ]
    return types.Prompt(name=name, title=brief.title, description=brief.description, arguments=arguments)


def _check(brief: Brief, given: Mapping[str, str]) -> None:
    for name in given:
        if name not in brief.arguments:
            raise MCPError(
                types.INVALID_PARAMS,
                f"The prompt has no argument of that name; it takes: {', '.join(brief.arguments) or 'none'}.",
            )
    for name in list(brief.arguments)[: brief.required]:
        if not given.get(name, "").strip():
            raise MCPError(types.INVALID_PARAMS, f"The argument `{name}` is missing.")
    if any(len(value) > ARGUMENT_LENGTH for value in given.values()):
        raise MCPError(types.INVALID_PARAMS, f"An argument is longer than {ARGUMENT_LENGTH} characters.")
    if given.get("language") and given["language"] not in LANGUAGES:
        raise MCPError(types.INVALID_PARAMS, f"`language` is one of: {', '.join(LANGUAGES)}.")
