"""A plain call of 2026-07-28 over HTTP, answered without the SDK; every other request is the SDK's.

The way through the SDK costs more than most calls do. What is plain is judged by the rules of the front over stdio.
"""

import asyncio
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from starlette.types import Receive, Send

from mcp_daan.app import App
from mcp_daan.protocol import Said
from mcp_daan.scopes import held
from mcp_daan.server.callers import Caller
from mcp_daan.server.front import plain
from mcp_daan.server.front.lists import Lists, dump
from mcp_daan.server.front.session import FAULT
from mcp_daan.server.logs import tell
from mcp_daan.server.offer import Offer
from mcp_daan.server.readers import THREADS
from mcp_daan.server.records import Clock, Sink
from mcp_daan.stopping import Stop, current
from mcp_daan.toolbox import Tool, run

Headers = Iterable[tuple[bytes, bytes]]
# A proxy closes a connection that is silent; as the SDK does, the answer then begins as a stream, with pings.
PING_SECONDS = 15.0
QUICK_SECONDS = 0.05
PING = b": ping\r\n\r\n"
STREAM = [
    (b"content-type", b"text/event-stream"),
    (b"cache-control", b"no-cache, no-transform"),
    (b"connection", b"keep-alive"),
    (b"x-accel-buffering", b"no"),
]


class Direct:
    """The plain calls of one server; *sinks* get a record of each."""

    def __init__(self, app: App, offer: Offer, *sinks: Sink) -> None:
        self._app, self._offer, self._sinks = app, offer, sinks
        self._lists = Lists(offer)
        self._threads = ThreadPoolExecutor(THREADS, "mcp-daan-call")

    def call(self, message: Any, headers: Headers, caller: Caller) -> "Call | None":
        """The call that *message* is, if it is plain and *caller* may make it."""
        if not isinstance(message, dict) or message.get("method") != "tools/call" or not plain.is_request(message):
            return None
        params = message.get("params", {})
        if not plain.is_call(params) or not plain.has_envelope(params) or "progressToken" in params["_meta"]:
            return None
        if not _agrees(headers, params["name"]):
            return None
        tool = caller.offer(self._offer).find(params["name"])
        return None if tool is None else Call(self, tool, message, caller)

    async def answer(self, call: "Call", receive: Receive, send: Send) -> None:
        """Answer *call*; when the client leaves before, what works for it is ended."""
        working = asyncio.get_running_loop().run_in_executor(self._threads, self._work, call)
        try:
            # Most calls are over before it is worth while to watch whether their client stays.
            await asyncio.wait((working,), timeout=QUICK_SECONDS)
            streaming = False if working.done() else await _watched(working, receive, send)
            if not working.done():
                call.stop.now()
                return
            body = working.result()
            if streaming:
                await send({"type": "http.response.body", "body": b"event: message\r\ndata: " + body + b"\r\n\r\n"})
            else:
                length = str(len(body)).encode()
                head = [(b"content-length", length), (b"content-type", b"application/json")]
                await send({"type": "http.response.start", "status": 200, "headers": head})
                await send({"type": "http.response.body", "body": body})
        except asyncio.CancelledError:
            call.stop.now()
            raise

    def close(self) -> None:
        """Take no more calls."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _work(self, call: "Call") -> bytes:
        clock = Clock(call.caller.name, "tools/call", call.tool.name)
        said: Said | None = None
        try:
            current.set(call.stop)
            held.set(call.caller.scopes)
            said = run(call.tool, self._app.for_call(), call.arguments)
        except Exception as error:  # noqa: BLE001 - its text stays here: it may quote a value
            tell("tools/call", error)
        outcome = "cancelled" if call.stop.stopped else "failed" if said is None else None
        told = clock.record({} if said is None else said.answer, outcome)
        for sink in self._sinks:
            sink(told)
        sent = FAULT if said is None else self._lists.answered(said, modern=True)
        return f'{{"jsonrpc":"2.0","id":{call.id},{sent}}}'.encode()


class Call:
    """One call under way."""

    def __init__(self, direct: Direct, tool: Tool, message: Mapping[str, Any], caller: Caller) -> None:
        self.tool, self.caller, self.id = tool, caller, dump(message["id"])
        self.arguments: Mapping[str, Any] = message["params"].get("arguments", {})
        self.stop = Stop()


def _agrees(headers: Headers, name: str) -> bool:
    """Whether the headers say once, and word for word, what the body says, and take either kind of answer."""
    found: dict[bytes, bytes] = {}
    for key, value in headers:
        if key.startswith(b"mcp-param-"):
            return False
        if key.startswith(b"mcp-") or key == b"accept":
            if key in found:
                return False
            found[key] = value
    accepted = {each.strip() for each in found.get(b"accept", b"").split(b",")}
    return (
        found.get(b"mcp-protocol-version") == plain.MODERN.encode()
        and found.get(b"mcp-method") == b"tools/call"
        and found.get(b"mcp-name") == name.encode()
        and {b"application/json", b"text/event-stream"} <= accepted
    )


async def _watched(working: asyncio.Future[bytes], receive: Receive, send: Send) -> bool:
    """Wait until *working* is done or the client has gone; whether a stream was begun meanwhile."""
    leaving, streaming = asyncio.get_running_loop().create_task(_gone(receive)), False
    try:
        while True:
            done, _ = await asyncio.wait((working, leaving), timeout=PING_SECONDS, return_when=asyncio.FIRST_COMPLETED)
            if done:
                return streaming
            if not streaming:
                streaming = True
                await send({"type": "http.response.start", "status": 200, "headers": STREAM})
            await send({"type": "http.response.body", "body": PING, "more_body": True})
    finally:
        leaving.cancel()


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
