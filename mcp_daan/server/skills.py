"""Skills over MCP (SEP-2640): the team's workflows, for clients that know the extension."""

from typing import Any

from mcp.server.lowlevel import Server

from mcp_daan.server.offer import Offer


def add_skills(server: Server[Any], offer: Offer) -> None:
    """Offer the workflows of *offer* as skills."""
