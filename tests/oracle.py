"""The same server on the SDK alone, without the front: what the front is held against.

python -m tests.oracle WORKSPACE [SWITCH…]
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
MODERN = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientCapabilities": {},
    "io.modelcontextprotocol/clientInfo": {"name": "oracle", "version": "1"},
}


def main() -> None:
    """Serve over stdio as the SDK does."""
    import anyio

    from mcp_daan.app import App
    from mcp_daan.server.audit import audited
    from mcp_daan.server.build import make_server, options
    from mcp_daan.server.logs import log_to_stderr
    from mcp_daan.server.offer import Offer
    from mcp_daan.server.recording import recording

    app = App(sys.argv[1])
    log_to_stderr(app.redact)
    offer = Offer(names=sys.argv[2:] or None)
    sinks = audited(app)
    server = make_server(app, offer, watches=[recording(offer, *sinks)] if sinks else [])

    async def serve() -> None:
        from mcp.server.stdio import stdio_server

        async with stdio_server() as (incoming, outgoing):
            await server.run(incoming, outgoing, options(server))

    try:
        anyio.run(serve)
    finally:
        app.close()


def results(workspace: Path, methods: list[str], *, modern: bool) -> dict[str, Any]:
    """What the SDK answers to each of *methods*, asked one after another."""
    opening = {
        "protocolVersion": "2025-11-25",
        "capabilities": {},
        "clientInfo": MODERN["io.modelcontextprotocol/clientInfo"],
    }
    params = {"_meta": MODERN} if modern else {}
    asked = [(method, opening if method == "initialize" else params) for method in methods]
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.oracle", str(workspace)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    found = {}
    for number, (method, given) in enumerate(asked):
        process.stdin.write(
            json.dumps({"jsonrpc": "2.0", "id": number, "method": method, "params": given}).encode() + b"\n"
        )
        process.stdin.flush()
        found[method] = json.loads(process.stdout.readline())["result"]
    process.communicate()
    return found


if __name__ == "__main__":
    main()
