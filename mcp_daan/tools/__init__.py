"""One thin function a tool, grouped by room."""

from functools import cache
from importlib import import_module

from mcp_daan.toolbox import Tool, tools_in

# Toolset → its modules → their tools, in the order in which a client lists them. A module is loaded when one of its
# tools is asked for, since together they are most of the start. The scopes that a caller over HTTP needs have the
# toolsets' names: `d1:read`, `knowledge:write`.
ROOMS: dict[str, dict[str, tuple[str, ...]]] = {
    "knowledge": {
        "validation": ("knowledge_validate",),
        "knowledge": ("knowledge_search", "knowledge_read"),
        "lessons": ("lessons_append", "lessons_list"),
    },
    "d1": {
        "d1": ("d1_databases", "d1_schema"),
        "query": ("d1_query",),
        "explain": ("d1_explain",),
        "migrations": ("d1_migrations",),
        "checks": ("d1_check",),
    },
    "tokens": {"tokens": ("tokens_health",), "oauth": ("oauth_check",)},
    "infra": {"workers": ("workers_check",), "kv": ("kv_read",), "status": ("infra_status",)},
}
HOMES = {name: room for rooms in ROOMS.values() for room, names in rooms.items() for name in names}


def find(name: str) -> Tool | None:
    """The tool called *name*; only the module that it is in is loaded."""
    room = HOMES.get(name)
    return None if room is None else _tools(room)[name]


@cache
def _tools(room: str) -> dict[str, Tool]:
    return tools_in(import_module(f"{__name__}.{room}"))


@cache
def toolsets() -> dict[str, dict[str, Tool]]:
    """The tools of each toolset by name."""
    return {
        toolset: {name: tool for room in rooms for name, tool in _tools(room).items()}
        for toolset, rooms in ROOMS.items()
    }


@cache
def all_tools() -> dict[str, Tool]:
    """Every tool by name, in the order in which a client lists them."""
    return {name: tool for tools in toolsets().values() for name, tool in tools.items()}


@cache
def scope_of(name: str) -> str:
    """The scope that the tool called *name* asks of a caller over HTTP."""
    toolset = next(toolset for toolset, tools in toolsets().items() if name in tools)
    return f"{toolset}:{'read' if all_tools()[name].reads_only else 'write'}"
