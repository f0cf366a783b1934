"""The rooms that know MCP: tools, prompts, resources, stdio."""
