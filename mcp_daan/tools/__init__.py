"""One thin function a tool, grouped by room."""

from functools import cache
from importlib import import_module

from mcp_daan.toolbox import Tool, tools_in

# Toolset → its modules, in the order in which a client lists their tools; loaded at the first call, since they are
# most of the start. The scopes that a caller over HTTP needs have the toolsets' names: `d1:read`, `knowledge:write`.
ROOMS = {
    "knowledge": ("validation", "knowledge", "lessons"),
    "d1": ("d1", "explain", "migrations", "checks"),
    "tokens": ("tokens", "oauth"),
    "infra": ("workers", "kv", "status"),
}


@cache
def toolsets() -> dict[str, dict[str, Tool]]:
    """The tools of each toolset by name."""
    return {
        toolset: tools_in(*(import_module(f"{__name__}.{room}") for room in rooms)) for toolset, rooms in ROOMS.items()
    }


@cache
def all_tools() -> dict[str, Tool]:
    """Every tool by name, in the order in which a client lists them."""
    return {name: tool for tools in toolsets().values() for name, tool in tools.items()}
