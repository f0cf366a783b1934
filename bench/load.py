"""How many requests a second one machine serves over HTTP, beside the SDK's own echo server in the same run.

    python bench/load.py [--seconds 3] [--rounds 5] [--connections 16] [--workers 1 2] [--era modern] [--write FILE]

The servers wait side by side and are asked in turns, so that a slow minute hits all alike; a ratio is that of one round.
The load client shares the machine with them. Requests of ours pass the gate with a token. CPU is that of all processes
of the server, per request that was answered.
"""

import argparse
import asyncio
import os
import platform
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from bench.serving.client import Load, call, once, right, run  # noqa: E402 - runnable as a file
from mcp_daan.demo.workspace import make_workspace  # noqa: E402
from mcp_daan.server.http.tokens import TokenFile  # noqa: E402

TICKS = os.sysconf("SC_CLK_TCK")
ONE = "SELECT id, provider, status FROM connections WHERE id = ?"
# What is asked of ours; the echo server is asked to give five bytes back. A call that is refused for its arguments
# passes gate, protocol, audit and answer, and does no work: it shows what the way costs.
REFUSED = "a call refused at once"
ASKED: dict[str, tuple[str, dict[str, Any]]] = {
    REFUSED: ("d1_query", {"database": "portal-db"}),
    "d1_query, one row": ("d1_query", {"database": "portal-db", "sql": ONE, "parameters": [7]}),
    "knowledge_search": ("knowledge_search", {"query": "row limits", "limit": 3}),
    "knowledge_read, a section": ("knowledge_read", {"path": "backend/DATABASE.md", "max_bytes": 1000}),
}
ECHO = "echo of the SDK"


@dataclass
class Runs:
    """All rounds of one row of the table."""

    loads: list[Load] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)

    @property
    def rates(self) -> list[float]:
        """Requests a second, by round."""
        return [load.per_second for load in self.loads]


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--era", choices=["modern", "legacy"], default="modern")
    parser.add_argument("--write", type=Path, help="also write the table there")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="mcp-daan-load-") as folder:
        found = measured(Path(folder), chosen, ASKED)
    text = table(found, chosen)
    sys.stdout.write(text)
    if chosen.write:
        chosen.write.write_text(text, encoding="utf-8")
    return int(any(load.failed for runs in found.values() for load in runs.loads))


def measured(folder: Path, chosen: argparse.Namespace, names: Iterable[str]) -> dict[tuple[str, int], Runs]:
    """Every row by which of the *names* is asked and the number of workers; the first round is warm-up."""
    workspace, home = folder / "workspace", folder / "home"
    make_workspace(workspace, datetime.now(UTC))
    token = TokenFile(home / "data/mcp-daan/tokens.json").create("load", ["d1:read", "knowledge:read"])
    found: dict[tuple[str, int], Runs] = {}
    with ExitStack() as stack:
        rows = []
        for workers in chosen.workers:
            port, process = stack.enter_context(echo(workers))
            request = call(port, chosen.era, "echo", {"text": "hello"}, token)
            rows.append(((ECHO, workers), port, process, request))
            port, process = stack.enter_context(ours(workspace, home, workers))
            for name in names:
                tool, arguments = ASKED[name]
                rows.append(((name, workers), port, process, call(port, chosen.era, tool, arguments, token)))
        for key, port, _, request in rows:
            status, body = asyncio.run(once(port, request))
            if not right(status, body) and key[0] != REFUSED:
                raise SystemExit(f"{key[0]} is answered {status}: {body[:500]!r}")
        for number in range(chosen.rounds + 1):
            for key, port, process, request in rows:
                before = cpu(process.pid)
                seconds = chosen.seconds if number else min(chosen.seconds, 1.0)
                load = run(port, request, connections=chosen.connections, seconds=seconds, refused=key[0] == REFUSED)
                if number:
                    runs = found.setdefault(key, Runs())
                    runs.loads.append(load)
                    runs.cpu.append((cpu(process.pid) - before) * 1000 / max(len(load.times), 1))
    return found


def table(found: Mapping[tuple[str, int], Runs], chosen: argparse.Namespace) -> str:
    """Rows of markdown: medians over the rounds, with the range where it says how noisy they are."""
    lines = [
        f"{chosen.rounds} rounds of {chosen.seconds:g} s, {chosen.connections} connections, {chosen.era} era,"
        f" Python {platform.python_version()}, {os.cpu_count()} cores with a load of {os.getloadavg()[1]:.1f}.",
        "",
        "| request | workers | requests/s (min–max) | p50 ms | p99 ms | CPU ms | × echo (min–max) | × one worker |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for (name, workers), runs in found.items():
        rates, echoes = runs.rates, found[ECHO, workers].rates
        against = "" if name == ECHO else spread([a / b for a, b in zip(rates, echoes, strict=True)], 2)
        alone = found.get((name, 1))
        scaled = (
            "" if alone is None or workers == 1 else spread([a / b for a, b in zip(rates, alone.rates, strict=True)], 2)
        )
        p50, p99 = (median(load.percentile(share) for load in runs.loads) for share in (0.5, 0.99))
        failed = sum(load.failed for load in runs.loads)
        note = f" ({failed} failed)" if failed else ""
        lines.append(
            f"| {name}{note} | {workers} | {spread(rates, 0)} | {p50:.1f} | {p99:.1f} | {median(runs.cpu):.2f}"
            f" | {against} | {scaled} |"
        )
    return "\n".join(lines) + "\n"


def spread(values: list[float], digits: int) -> str:
    """The median and the range."""
    return f"{median(values):.{digits}f} ({min(values):.{digits}f}–{max(values):.{digits}f})"


@contextmanager
def echo(workers: int) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    """The SDK's server, and its port."""
    port = free_port()
    command = [sys.executable, "-m", "bench.serving.echo"]
    with started(command, port, {"PORT": str(port), "WORKERS": str(workers)}) as process:
        yield port, process


@contextmanager
def ours(workspace: Path, home: Path, workers: int) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    """Our server, and its port."""
    port = free_port()
    place = ["--http", f"127.0.0.1:{port}", "--workers", str(workers), "--workspace", str(workspace)]
    folders = {f"XDG_{kind}_HOME": str(home / kind.lower()) for kind in ("CACHE", "DATA", "CONFIG", "STATE")}
    # No limit of a caller is to be measured, and no line of the audit is to be read.
    streams = {name: value for name, value in os.environ.items() if name == "DAAN_HTTP_STREAMS"}
    free = {
        **streams,
        "DAAN_HTTP_REQUESTS_PER_MINUTE": "100000000",
        "DAAN_HTTP_BURST": "100000000",
        "DAAN_HTTP_CONCURRENCY": "1000",
    }
    more = {**folders, **free, "DAAN_AUDIT_FILE": str(home / "audit.jsonl")}
    with started([sys.executable, "-m", "mcp_daan", "serve", *place], port, more) as process:
        yield port, process


@contextmanager
def started(command: list[str], port: int, more: Mapping[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """A process that listens at *port*, until it is no longer needed."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("DAAN_", "OTEL_"))}
    process = subprocess.Popen(command, cwd=ROOT, env={**clean, **more})
    try:
        deadline, pause = time.monotonic() + 60, threading.Event()
        while not listens(port):
            if process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit(f"{command[2]} does not serve")
            pause.wait(0.1)
        yield process
    finally:
        process.terminate()
        process.wait(30)


def listens(port: int) -> bool:
    """Whether somebody answers there."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def free_port() -> int:
    """A port that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def cpu(pid: int) -> float:
    """Seconds of the processor that *pid* and what it started have used, also those of its children that ended."""
    parents: dict[int, list[int]] = {}
    used: dict[int, float] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                fields = (folder / "stat").read_text().rsplit(")", 1)[1].split()
            except OSError:
                continue
            parents.setdefault(int(fields[1]), []).append(int(folder.name))
            used[int(folder.name)] = sum(int(each) for each in fields[11:15]) / TICKS
    total, waiting = 0.0, [pid]
    while waiting:
        each = waiting.pop()
        total += used.get(each, 0.0)
        waiting += parents.get(each, [])
    return total


if __name__ == "__main__":
    raise SystemExit(main())
