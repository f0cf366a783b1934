"""What open subscriptions cost: memory of the server, and the time of a call beside them.

    python bench/streams.py [--streams 10 1000] [--workers 1]

Every agent of 2026-07-28 keeps one subscription open; here each comes from one token, whose limit is raised.
"""

import argparse
import asyncio
import json
import os
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from bench.load import ASKED, ours  # noqa: E402 - runnable as a file
from bench.serving.client import META, call, message, run  # noqa: E402
from mcp_daan.demo.workspace import make_workspace  # noqa: E402
from mcp_daan.server.http.tokens import TokenFile  # noqa: E402


def main() -> int:
    """Print a line for each number of streams."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--streams", type=int, nargs="+", default=[10, 1000])
    parser.add_argument("--workers", type=int, default=1)
    chosen = parser.parse_args()
    os.environ["DAAN_HTTP_STREAMS"] = str(max(chosen.streams) + 1)
    with tempfile.TemporaryDirectory(prefix="mcp-daan-streams-") as folder:
        workspace, home = Path(folder, "workspace"), Path(folder, "home")
        make_workspace(workspace, datetime.now(UTC))
        token = TokenFile(home / "data/mcp-daan/tokens.json").create("streams", ["d1:read", "knowledge:read"])
        for count in chosen.streams:
            with ours(workspace, home, chosen.workers) as (port, process):
                asyncio.run(beside(port, process.pid, token, count))
    return 0


async def beside(port: int, pid: int, token: str, count: int) -> None:
    """Open *count* subscriptions, hold them, and call meanwhile."""
    request = call(port, "modern", *ASKED["d1_query, one row"], token)
    await asyncio.to_thread(run, port, request, connections=4, seconds=1.0)
    before = memory(pid)
    body = {"notifications": {"resourcesListChanged": True}, "_meta": META}
    listen = message(port, "modern", "subscriptions/listen", body, token)
    opened = []
    for _ in range(count):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(listen)
        head = await reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200"):
            raise SystemExit(head.decode())
        opened.append(writer)
    load = await asyncio.to_thread(run, port, request, connections=4, seconds=3.0)
    told = {
        "streams": count,
        "MB before": before,
        "MB with them": memory(pid),
        "p50 ms": round(load.percentile(0.5), 1),
    }
    sys.stdout.write(json.dumps(told) + "\n")
    sys.stdout.flush()
    for writer in opened:
        writer.close()


def memory(pid: int) -> float:
    """Megabytes of *pid* and of what it started, pages that they share counted once."""
    total, waiting = 0, [pid]
    while waiting:
        each = waiting.pop()
        rollup = Path(f"/proc/{each}/smaps_rollup").read_text().splitlines()
        total += next(int(line.split()[1]) for line in rollup if line.startswith("Pss:"))
        waiting += [int(child) for child in Path(f"/proc/{each}/task/{each}/children").read_text().split()]
    return round(total / 1024, 1)


if __name__ == "__main__":
    raise SystemExit(main())
