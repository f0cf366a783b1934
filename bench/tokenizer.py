"""What a tool costs in a model's context, counted in o200k tokens by npm's gpt-tokenizer."""

import json
import subprocess
from collections.abc import Mapping, Sequence
from typing import Any

from tests.node.packages import BIN, installed


def shown_to_model(tools: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """What of *tools* a client gives its model: names, descriptions and input schemas."""
    return [
        {"name": tool["name"], "description": tool.get("description", ""), "inputSchema": tool["inputSchema"]}
        for tool in tools
    ]


def token_counts(values: Sequence[object]) -> list[int]:
    """The tokens of each of *values* as compact JSON."""
    done = subprocess.run(
        [BIN / "node", installed("tokenizer") / "count.mjs"],
        input=json.dumps(values),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    counts: list[int] = json.loads(done.stdout)
    return counts
