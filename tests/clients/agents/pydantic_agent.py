"""An agent of pydantic-ai does the whole workflow; its model is a function, the rest is real. Run by test_agents.py."""

import asyncio
import json
import sys
from collections.abc import Callable
from typing import Any

from fastmcp.client.transports import StdioTransport
from pydantic_ai import Agent
from pydantic_ai.mcp import MCPToolset
from pydantic_ai.messages import ModelMessage, ModelResponse, TextPart, ToolCallPart, ToolReturnPart
from pydantic_ai.models.function import AgentInfo, FunctionModel

COMMAND, WORKSPACE = sys.argv[1:]
Step = Callable[[dict[str, Any]], tuple[str, dict[str, Any]]]
# Each step rests on the answer of the one before, as an agent's does.
STEPS: list[Step] = [
    lambda _: ("knowledge_validate", {}),
    lambda seen: ("knowledge_search", {"query": ["token refresh", seen["findings"][0]["code"].replace("_", " ")]}),
    lambda seen: ("knowledge_read", {"path": seen["results"][0]["path"]}),
    lambda _: ("d1_databases", {}),
    lambda seen: ("d1_schema", {"database": seen["databases"][0]["name"]}),
    lambda seen: (
        "d1_query",
        {"database": "portal-db", "sql": f"SELECT count(*) AS n FROM {_table(seen)}"},
    ),
    lambda seen: (
        "lessons_append",
        {
            "title": "Count before you conclude",
            "problem": "Nobody had counted the connections before the incident was declared closed.",
            "solution": f"Count them first: there were {seen['rows'][0][0]}.",
            "component": "d1",
        },
    ),
]
answers: list[dict[str, Any]] = []


def _table(seen: dict[str, Any]) -> str:
    return next(table["name"] for table in seen["tables"] if table["name"] == "connections")


def think(messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
    """The next call, from what the last one answered."""
    assert "lessons_append" in {tool.name for tool in info.function_tools}
    for part in messages[-1].parts:
        if isinstance(part, ToolReturnPart):
            content = part.content if isinstance(part.content, dict) else json.loads(str(part.content))
            answers.append(content)
    if len(answers) == len(STEPS):
        return ModelResponse(parts=[TextPart("done")])
    name, arguments = STEPS[len(answers)](answers[-1]["data"] if answers else {})
    return ModelResponse(parts=[ToolCallPart(name, arguments)])


async def main() -> None:
    """Run the agent and print what each call answered."""
    server = MCPToolset(StdioTransport(COMMAND, ["serve", "--workspace", WORKSPACE]))
    agent = Agent(FunctionModel(think), toolsets=[server])
    async with agent:
        result = await agent.run("Do your task.")
    said = [[answer["status"], answer["error"], answer["lessonsAdded"]] for answer in answers]
    print(json.dumps({"output": result.output, "answers": said}))  # noqa: T201 - this is its answer


asyncio.run(main())
