"""The socket that processes serve on."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.server import ServerState

from mcp_daan.server.http import connections
from mcp_daan.server.http.places import Place
from mcp_daan.server.http.serving import _bound, _configured

ASKED = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.mark.asyncio
@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
async def test_the_parts_of_an_answer_are_sent_at_once(host: str) -> None:
    """Else the second part waits until the client, which waits too, acknowledges the first: 40 ms a call."""
    found: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        found.set_result(writer.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        writer.close()

    with _bound(Place(host, 0)) as (listening, place):
        async with await asyncio.start_server(connected, sock=listening):
            _, writer = await asyncio.open_connection(place.host, place.port)
            at_once = await asyncio.wait_for(found, 10)
            writer.close()
            await writer.wait_closed()

    assert at_once == 1


@asynccontextmanager
async def connected(app: ASGIApp) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection to *app*, served as our processes serve."""
    config = _configured(1, 1)
    config.app, config.factory = app, False
    config.load()
    loop, state = asyncio.get_running_loop(), ServerState()
    serving = await loop.create_server(lambda: config.http_protocol_class(config, state, {}), "127.0.0.1", 0)
    async with serving:
        reader, writer = await asyncio.open_connection(*serving.sockets[0].getsockname())
        try:
            yield reader, writer
        finally:
            writer.close()
            await writer.wait_closed()


@pytest.mark.asyncio
@pytest.mark.parametrize("asked", [0, 1], ids=["at the start", "after an answer"])
@pytest.mark.parametrize("sent", [b"G", b"GET / HT", b"GET / HTTP/1.1\r\nHost: x\r\n"])
async def test_a_connection_that_does_not_ask_to_the_end_is_closed(
    sent: bytes, asked: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thousand of them would leave no file for those who have a token."""
    monkeypatch.setattr(connections, "SECONDS", 0.3)
    async with connected(PlainTextResponse("answered")) as (reader, writer):
        for _ in range(asked):
            writer.write(ASKED)
            await asyncio.wait_for(reader.readuntil(b"answered"), 20)
        writer.write(sent)
        heard = await asyncio.wait_for(reader.read(), 20)

    assert heard == b""


@pytest.mark.asyncio
async def test_a_connection_that_says_nothing_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is as good as gone."""
    monkeypatch.setattr(connections, "SECONDS", 0.3)
    async with connected(PlainTextResponse("answered")) as (reader, _):
        heard = await asyncio.wait_for(reader.read(), 20)

    assert heard == b""


@pytest.mark.asyncio
async def test_a_body_that_goes_on_after_its_answer_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """A request without a token is refused before its body is read; who sends on, byte by byte, is not listened to."""
    monkeypatch.setattr(connections, "SECONDS", 0.3)

    async def trickle(writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while True:
                writer.write(b"x")
                await writer.drain()
                with suppress(TimeoutError):
                    await asyncio.wait_for(asyncio.Event().wait(), 0.05)

    async with connected(PlainTextResponse("answered")) as (reader, writer):
        writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n")
        await asyncio.wait_for(reader.readuntil(b"answered"), 20)
        sending = asyncio.create_task(trickle(writer))
        with suppress(ConnectionError):
            await asyncio.wait_for(reader.read(), 20)
        sending.cancel()

    assert reader.at_eof() or reader.exception() is not None


@pytest.mark.asyncio
async def test_a_connection_that_asks_stays_open_for_a_long_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """What has begun is not cut off, and the next request comes on the same connection."""
    monkeypatch.setattr(connections, "SECONDS", 0.1)

    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(asyncio.Event().wait(), 0.5)
        await PlainTextResponse("answered")(scope, receive, send)

    async with connected(slow) as (reader, writer):
        for _ in range(2):
            writer.write(ASKED)
            heard = await asyncio.wait_for(reader.readuntil(b"answered"), 20)

    assert heard.startswith(b"HTTP/1.1 200")
