"""One HTTP exchange, whole within its deadline.

A client's timeout bounds each wait on the socket and not their sum: whoever drips bytes, or resolves a name for ever,
holds a thread for as long as he likes. So exchanges run on an event loop of their own, which ends them anywhere.
"""

import asyncio
import concurrent.futures
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from mcp_daan.stopping import stoppable

if TYPE_CHECKING:
    import httpx2

Loss = Literal["unreachable", "timeout", "cut", "closed"]
CONNECTIONS = 20


class Lost(Exception):
    """There was no whole answer: nobody was there, time was over, it broke off, or the wire or the call was ended."""

    def __init__(self, loss: Loss) -> None:
        super().__init__(loss)
        self.loss = loss


@dataclass(frozen=True)
class Received:
    """What came back; `cut` says that the body was longer than asked for. Header names are lower-case."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    cut: bool


class Wire:
    """Connections that all calls share; opened by the first exchange. Redirects are answers here, never followed.

    *proxied* ones go by the proxy that the environment names.
    """

    def __init__(self, *, proxied: bool = True) -> None:
        self._proxied = proxied
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._client: httpx2.AsyncClient | None = None
        self._closed = False

    def exchange(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        body: bytes | None = None,
        seconds: float,
        connect_seconds: float,
        max_bytes: int,
    ) -> Received:
        """The answer to one request, its body up to *max_bytes*. Raises Lost when there is none within *seconds*, or the call is
        cancelled."""
        work = self._exchange(method, url, headers, body, seconds, connect_seconds, max_bytes)
        with self._lock:
            if self._closed:
                work.close()
                raise Lost("closed")
            future = asyncio.run_coroutine_threadsafe(work, self._running())

        def end() -> None:
            future.cancel()

        try:
            with stoppable(end):
                return future.result()
        except concurrent.futures.CancelledError:
            raise Lost("closed") from None
        finally:
            # A call that was cancelled before it could wait leaves nothing under way either.
            end()

    def close(self) -> None:
        """End what is under way, and the connections."""
        with self._lock:
            self._closed = True
            loop, thread = self._loop, self._thread
        if loop is None or thread is None or loop.is_closed():
            return
        asyncio.run_coroutine_threadsafe(self._end(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()

    def _running(self) -> asyncio.AbstractEventLoop:
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
            self._thread = threading.Thread(target=self._loop.run_forever, name="mcp-daan-wire", daemon=True)
            self._thread.start()
        return self._loop

    async def _end(self) -> None:
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        if self._client is not None:
            await self._client.aclose()

    async def _exchange(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes | None,
        seconds: float,
        connect_seconds: float,
        max_bytes: int,
    ) -> Received:
        import httpx2  # by whoever first needs the network: it is large, and most calls do not

        if self._client is None:
            limits = httpx2.Limits(max_connections=CONNECTIONS, max_keepalive_connections=CONNECTIONS)
            self._client = httpx2.AsyncClient(follow_redirects=False, limits=limits, trust_env=self._proxied)
        timeout = httpx2.Timeout(seconds, connect=min(connect_seconds, seconds))
        # Not compressed: a few bytes could swell to more than memory holds.
        sent = {**headers, "Accept-Encoding": "identity"}
        try:
            async with (
                asyncio.timeout(seconds),
                self._client.stream(method, url, headers=sent, content=body, timeout=timeout) as response,
            ):
                return await _received(response, max_bytes)
        except (TimeoutError, httpx2.TimeoutException) as error:
            raise Lost("unreachable" if isinstance(error, httpx2.ConnectTimeout) else "timeout") from None
        except (httpx2.ConnectError, httpx2.ProxyError, httpx2.UnsupportedProtocol):
            raise Lost("unreachable") from None
        except httpx2.HTTPError:
            raise Lost("cut") from None


async def _received(response: "httpx2.Response", max_bytes: int) -> Received:
    parts: list[bytes] = []
    left = max_bytes
    async for part in response.aiter_raw():
        parts.append(part[:left])
        left -= len(part)
        if left < 0:
            break
    return Received(response.status_code, dict(response.headers.items()), b"".join(parts), left < 0)
