"""What is offered: the tools that the switches at start leave, and of these what one caller may use.

Whatever else shows the same as a tool (a resource, a prompt, a completion) is offered where that tool is.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING

from mcp_daan.cached import cached_property

if TYPE_CHECKING:
    from mcp_daan.toolbox import Tool

SCOPES = ("knowledge:read", "knowledge:write", "d1:read", "tokens:read", "infra:read")
# The beginning of an address → the tool that shows the same. What is not named here shows nothing of the workspace.
BEHIND = {"knowledge://": "knowledge_read", "d1://": "d1_schema", "daan://status": "infra_status"}


class Offer:
    """The tools that may be listed and called: *tools*, or those of *names*; without either every one."""

    def __init__(self, tools: "Mapping[str, Tool] | None" = None, *, names: Collection[str] | None = None) -> None:
        self._tools = tools
        self._names = names if tools is None else tools.keys()
        self._within: dict[frozenset[str], Offer] = {}

    @cached_property
    def tools(self) -> "Mapping[str, Tool]":
        """The tools by name; looking at them loads them."""
        if self._tools is not None:
            return self._tools
        from mcp_daan.tools import all_tools  # most of a start: a server says what it offers without it

        return {name: tool for name, tool in all_tools().items() if self.holds(name)}

    def find(self, name: str) -> "Tool | None":
        """The tool called *name*, if it is offered; no other is loaded for that."""
        if self._tools is not None:
            return self._tools.get(name)
        from mcp_daan.tools import find

        return find(name) if self.holds(name) else None

    def holds(self, *names: str) -> bool:
        """Whether every one of these tools is offered."""
        return self._names is None or all(name in self._names for name in names)

    def shows(self, uri: str) -> bool:
        """Whether the resource at *uri* may be seen, should it exist."""
        name = tool_behind(uri)
        return name is None or self.holds(name)

    def within(self, scopes: Iterable[str]) -> "Offer":
        """What a caller with *scopes* may use of it."""
        held = frozenset(scopes) & set(SCOPES)
        if held not in self._within:
            from mcp_daan.tools import scope_of

            self._within[held] = Offer({name: tool for name, tool in self.tools.items() if scope_of(name) in held})
        return self._within[held]


def tool_behind(uri: str) -> str | None:
    """The tool that shows what the resource at *uri* shows; None where it shows nothing of the workspace."""
    return next((name for start, name in BEHIND.items() if uri.startswith(start)), None)
