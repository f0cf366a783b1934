"""One thin function a tool, grouped by room."""

from functools import cache
from importlib import import_module

from mcp_daan.toolbox import Tool, tools_in

# In the order in which a client lists their tools; loaded at the first call, since they are most of the start.
ROOMS = ("validation", "knowledge", "lessons", "d1", "explain", "migrations", "checks", "tokens")


@cache
def all_tools() -> dict[str, Tool]:
    """Every tool by name, in the order in which a client lists them."""
    return tools_in(*(import_module(f"{__name__}.{room}") for room in ROOMS))
