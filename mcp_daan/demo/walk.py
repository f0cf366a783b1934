"""Walk through the main job on the demo workspace, as a real client of a real server process."""

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
from mcp import Client, MCPError
from mcp.client.stdio import StdioServerParameters

from mcp_daan.demo.screen import Screen
from mcp_daan.demo.steps import STEPS, Answer, Step

# What the server needs of our environment besides what the SDK passes on: the clock, and where its folders are.
# A TOKEN_ENCRYPTION_KEY or DAAN_ setting of the user's own is for another workspace.
PASSED_ON = ("DAAN_NOW", "PYTHONPATH", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME")
SECONDS = 60.0


def walk(folder: Path, *, json_output: bool) -> int:
    """Do the steps on the workspace in *folder*, and show each; 0 when all answered as expected, else 1."""
    screen = Screen(quiet=json_output)
    screen.opening(folder, len(STEPS))
    answers: list[Answer] = []
    wrong: list[str] = []
    try:
        anyio.run(_walk, folder, screen, answers, wrong)
    except* (MCPError, OSError, TimeoutError):
        wrong.append("The server could not be spoken to; what it said last stands on stderr.")
    if json_output:
        sys.stdout.write(json.dumps(_report(folder, answers, wrong), ensure_ascii=False, indent=2) + "\n")
    screen.closing(folder, wrong)
    return 1 if wrong else 0


def server(folder: Path) -> StdioServerParameters:
    """How the server is started: by this very Python."""
    passed_on = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    arguments = ["-m", "mcp_daan", "serve", "--workspace", str(folder)]
    return StdioServerParameters(command=sys.executable, args=arguments, env=passed_on)


async def _walk(folder: Path, screen: Screen, answers: list[Answer], wrong: list[str]) -> None:
    async with Client(server(folder), read_timeout_seconds=SECONDS) as client:
        for number, step in enumerate(STEPS, 1):
            screen.step(number, step)
            result = await client.call_tool(step.tool, step.arguments)
            answer: Answer = result.structured_content or {}
            faults = list(_faults(step, answer, answers, folder))
            answers.append(answer)
            wrong += (f"{step.tool}: {fault}" for fault in faults)
            screen.answer(step, answer, faults)
            if faults:
                return


def _faults(step: Step, answer: Answer, before: list[Answer], folder: Path) -> Iterator[str]:
    if answer.get("status") != "complete":
        yield f"complete expected: {answer.get('summary', 'no answer')}"
        return
    yield from step.wrong(answer, before, folder)


def _report(folder: Path, answers: list[Answer], wrong: list[str]) -> dict[str, Any]:
    done = [
        {"tool": step.tool, "arguments": step.arguments, "answer": answer}
        for step, answer in zip(STEPS, answers, strict=False)
    ]
    return {"workspace": str(folder), "green": not wrong, "problems": wrong, "steps": done}
