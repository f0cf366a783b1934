"""The adapters of LangChain, which stand on an older SDK, load every tool and call some. Run by test_agents.py."""

import asyncio
import json
import sys

from langchain_mcp_adapters.client import MultiServerMCPClient

COMMAND, WORKSPACE = sys.argv[1:]


async def main() -> None:
    """Print the tools, and what three of them answered."""
    server = {"transport": "stdio", "command": COMMAND, "args": ["serve", "--workspace", WORKSPACE]}
    tools = {tool.name: tool for tool in await MultiServerMCPClient({"daan": server}).get_tools()}
    calls = {
        "knowledge_search": {"query": "token refresh"},
        "d1_query": {"database": "portal-db", "sql": "SELECT count(*) FROM connections"},
        "tokens_health": {"limit": 1},
    }
    answers = {}
    for name, arguments in calls.items():
        (block,) = await tools[name].ainvoke(arguments)
        answers[name] = json.loads(block["text"])["status"]
    print(json.dumps({"tools": list(tools), "answers": answers}))  # noqa: T201 - this is its answer


asyncio.run(main())
