"""The socket that processes serve on."""

import asyncio
import socket

import pytest

from mcp_daan.server.http.places import Place
from mcp_daan.server.http.serving import _bound


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
