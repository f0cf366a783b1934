"""One thin function a tool, grouped by room."""

from functools import cache

from mcp_daan.toolbox import Tool, tools_in


@cache
def all_tools() -> dict[str, Tool]:
    """Every tool by name, in the order in which a client lists them."""
    from mcp_daan.tools import d1, knowledge, lessons, tokens, validation

    return tools_in(validation, knowledge, lessons, d1, tokens)
