"""What is measured, a function each; samples are taken in turns, so that a slow minute hits every server alike."""

import json
import statistics
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.peers.field import HUNDRED, ONE, Peer, environment
from bench.peers.install import Installed
from bench.peers.wire import LEGACY, MODERN, Server, request


@dataclass
class Samples:
    """What was measured of one server; times in milliseconds, memory in MB."""

    start: dict[str, list[float]] = field(default_factory=dict)
    first: list[float] = field(default_factory=list)
    one: list[float] = field(default_factory=list)
    hundred: list[float] = field(default_factory=list)
    bytes: int = 0
    idle: float = 0
    after: float = 0
    tokens: int = 0
    tools: int = 0


def opened(peer: Peer, file: Path) -> Server:
    """The server of *peer*, just spawned."""
    return Server(peer.command, file.parent, environment(peer), file.parent / "stderr.log")


def starts(field: Sequence[Peer], file: Path, rounds: int) -> dict[str, Samples]:
    """Spawn to `tools/list` in each era, and spawn to the first statement answered; the first round is warm-up."""
    samples = {peer.name: Samples() for peer in field}
    for number in range(rounds + 1):
        for peer in field:
            for era in peer.eras:
                server = opened(peer, file)
                server.greet(era)
                server.tools(era)
                if number:
                    samples[peer.name].start.setdefault(era, []).append(server.since_start())
                server.close()
            if peer.ask is not None:
                server = opened(peer, file)
                server.greet()
                server.call(*peer.ask(ONE))
                if number:
                    samples[peer.name].first.append(server.since_start())
                server.close()
    return samples


def calls(field: Sequence[Peer], file: Path, samples: dict[str, Samples], count: int) -> None:
    """One row and a hundred rows, warm, in turns over servers that all stay open; twenty calls each are warm-up."""
    servers = {peer.name: opened(peer, file) for peer in field if peer.ask is not None}
    lines = {}
    for peer in field:
        if peer.ask is None:
            continue
        server = servers[peer.name]
        server.greet()
        server.tools()
        for _ in range(20):
            server.call(*peer.ask(ONE))
            answer, samples[peer.name].bytes = server.call(*peer.ask(HUNDRED))
        assert "user100@example.com" in json.dumps(answer), peer.name
        lines[peer.name] = request(*peer.ask(ONE)), request(*peer.ask(HUNDRED))
    for _ in range(count):
        for name, server in servers.items():
            one, hundred = lines[name]
            samples[name].one.append(server.timed(one))
            samples[name].hundred.append(server.timed(hundred))
    for server in servers.values():
        server.close()


def memory(field: Sequence[Peer], file: Path, samples: dict[str, Samples], count: int) -> None:
    """Resident memory of the process tree after one call, and after *count* more."""
    for peer in field:
        if peer.ask is None:
            continue
        server = opened(peer, file)
        server.greet()
        server.tools()
        server.call(*peer.ask(ONE))
        samples[peer.name].idle = server.memory()
        line = request(*peer.ask(ONE))
        for _ in range(count):
            server.timed(line)
        samples[peer.name].after = server.memory()
        server.close()


COUNT = """
import { encode } from "gpt-tokenizer/encoding/o200k_base";
let text = "";
process.stdin.on("data", (part) => (text += part)).on("end", () => {
  const tools = JSON.parse(text);
  console.log(tools.map((tool) => encode(JSON.stringify(tool)).length).join(" "));
});
"""


def tokens(field: Sequence[Peer], file: Path, samples: dict[str, Samples], there: Installed) -> None:
    """What the tool list costs in a model's context: names, descriptions and input schemas, in o200k tokens."""
    for peer in field:
        server = opened(peer, file)
        server.greet()
        shown = [
            {"name": tool["name"], "description": tool.get("description", ""), "inputSchema": tool["inputSchema"]}
            for tool in server.tools()
        ]
        server.close()
        samples[peer.name].tokens = sum(counted(shown, there))
        samples[peer.name].tools = len(shown)


def counted(tools: Sequence[object], there: Installed) -> list[int]:
    """The tokens of each of *tools* as compact JSON."""
    with tempfile.NamedTemporaryFile("w", suffix=".mjs", dir=there.modules.parent) as script:
        script.write(COUNT)
        script.flush()
        done = subprocess.run(
            [str(there.node), script.name], input=json.dumps(tools), capture_output=True, text=True, check=True
        )
    return [int(each) for each in done.stdout.split()]


def middle(values: Sequence[float]) -> float:
    """The median, or 0 when nothing was measured."""
    return statistics.median(values) if values else 0.0


def tail(values: Sequence[float]) -> float:
    """The 99th percentile, or the largest of few."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, round(0.99 * len(ordered)))] if ordered else 0.0


ERAS = (LEGACY, MODERN)
