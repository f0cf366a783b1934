"""Trustworthy knowledge of a team's Cloudflare infrastructure, served over MCP."""

__version__ = "0.1.0"
