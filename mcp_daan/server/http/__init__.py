"""MCP over streamable HTTP, for a team."""
