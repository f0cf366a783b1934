"""A load client over HTTP/1.1: fixed bytes out, whole answers in, on connections that stay open."""

import asyncio
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

META = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientCapabilities": {},
    "io.modelcontextprotocol/clientInfo": {"name": "load", "version": "1"},
}
REFUSAL = b'"code":"invalid_arguments"'


@dataclass
class Load:
    """What one run saw; times in milliseconds."""

    seconds: float = 0.0
    times: list[float] = field(default_factory=list)
    failed: int = 0

    @property
    def per_second(self) -> float:
        """Requests that were answered rightly, a second."""
        return len(self.times) / self.seconds

    def percentile(self, share: float) -> float:
        """The time within which that *share* of the requests was answered."""
        ordered = sorted(self.times)
        return ordered[min(int(len(ordered) * share), len(ordered) - 1)] if ordered else float("nan")


def call(port: int, era: str, name: str, arguments: Mapping[str, Any], token: str) -> bytes:
    """The request that calls the tool *name*, as it goes over the wire."""
    return message(port, era, "tools/call", {"name": name, "arguments": arguments}, token)


def message(port: int, era: str, method: str, given: Mapping[str, Any], token: str) -> bytes:
    """A request, as it goes over the wire."""
    params, headers = dict(given), {"mcp-protocol-version": "2025-11-25"}
    if era == "modern":
        params["_meta"] = META
        headers = {"mcp-protocol-version": "2026-07-28", "mcp-method": method}
        if "name" in params:
            headers["mcp-name"] = params["name"]
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode()
    headers |= {
        "host": f"127.0.0.1:{port}",
        "authorization": f"Bearer {token}",
        "content-type": "application/json",
        "accept": "application/json, text/event-stream",
        "content-length": str(len(body)),
    }
    head = "".join(f"{key}: {value}\r\n" for key, value in headers.items())
    return f"POST /mcp HTTP/1.1\r\n{head}\r\n".encode() + body


async def answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """The status and the body of the next answer."""
    head = await reader.readuntil(b"\r\n\r\n")
    status, lower = int(head[9:12]), head.lower()
    at = lower.find(b"content-length:")
    if at >= 0:
        return status, await reader.readexactly(int(lower[at + 15 : lower.index(b"\r\n", at)]))
    body = b""
    while size := int(await reader.readline(), 16):
        body += (await reader.readexactly(size + 2))[:-2]
    await reader.readline()
    return status, body


def right(status: int, body: bytes) -> bool:
    """Whether the tool answered, and did not fail."""
    return status == 200 and b'"isError":true' not in body and b'"structuredContent"' in body


async def once(port: int, request: bytes) -> tuple[int, bytes]:
    """The answer to one request, on a connection of its own."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    found = await answer(reader)
    writer.close()
    return found


def run(port: int, request: bytes, *, connections: int, seconds: float, refused: bool = False) -> Load:
    """Send *request* on so many *connections*, each again as soon as it was answered; rightly so, if not *refused*."""
    load = Load()

    async def ask(end: float) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while (begun := time.perf_counter()) < end:
            writer.write(request)
            status, body = await answer(reader)
            if right(status, body) or (refused and REFUSAL in body):
                load.times.append((time.perf_counter() - begun) * 1000)
            else:
                load.failed += 1
        writer.close()

    async def all_at_once() -> None:
        begun = time.perf_counter()
        await asyncio.gather(*(ask(begun + seconds) for _ in range(connections)))
        load.seconds = time.perf_counter() - begun

    asyncio.run(all_at_once())
    return load
