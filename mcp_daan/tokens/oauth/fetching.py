"""One request at a time: to a checked address, without cookies, proxies or credentials, within bounds."""

import asyncio
import ipaddress
import ssl
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import mcp_daan
from mcp_daan.addresses import resolved
from mcp_daan.tokens.oauth.rules import Barred, Invalid, Rules
from mcp_daan.tokens.oauth.seen import Certificate, Problem, Seen

if TYPE_CHECKING:
    import httpx2

BODY_BYTES = 65536
FETCH_SECONDS = 5.0
# Short enough that a second address of a name gets its turn.
CONNECT_SECONDS = 2.0
BODY_SECONDS = 3.0
MOST_HOPS = 3
MOST_ADDRESSES = 4
AT_ONCE = 4
# Compressed bodies could grow on reading, and kept connections would be shared by names of one address.
HEADERS = {
    "User-Agent": f"mcp-daan/{mcp_daan.__version__} (oauth_check)",
    "Accept": "application/json, text/event-stream;q=0.9, */*;q=0.1",
    "Accept-Encoding": "identity",
    "Connection": "close",
}
# What may go wrong on the way, from the narrow to the wide; the words of libraries are not passed on.
MEANING: dict[str, tuple[Problem, str]] = {
    "ConnectTimeout": ("connect", "no connection in time"),
    "TimeoutException": ("slow", "it was too slow"),
    "ConnectError": ("connect", "no connection"),
    "ProtocolError": ("protocol", "it does not speak HTTP rightly"),
    "TransportError": ("protocol", "the connection broke"),
}
Resolve = Callable[[str], Awaitable[list[str]]]


@dataclass(frozen=True)
class Asked:
    """What is sent."""

    method: str = "GET"
    headers: tuple[tuple[str, str], ...] = ()
    content: bytes = b""


class Fetching:
    """Requests of one run; `async with` opens it. A name is resolved once, so its address cannot change meanwhile."""

    def __init__(self, rules: Rules, *, seconds: float, active: bool = False, resolve: Resolve = resolved) -> None:
        self.rules = rules
        self._active = active
        self._resolve = resolve
        self._end = time.monotonic() + seconds
        self._addresses: dict[str, asyncio.Task[list[str]]] = {}
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def __aenter__(self) -> "Fetching":
        import httpx2

        self._transport = httpx2.AsyncHTTPTransport(
            verify=httpx2.create_ssl_context(), limits=httpx2.Limits(max_keepalive_connections=0)
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._addresses.values():
            task.cancel()
        await self._transport.aclose()

    async def get(self, url: str, headers: Mapping[str, str] = {}, *, follow: bool = False) -> Seen:
        """What GET brings; with *follow* through a few redirects, each under the same rules."""
        seen = await self._one(url, Asked(headers=tuple(headers.items())))
        hops: list[str] = []
        while follow and seen.location:
            if len(hops) == MOST_HOPS:
                return replace(seen, hops=tuple(hops), reason="it was one too many")
            to = seen.target
            hops.append(to)
            if downgrade(seen.url, to):
                return replace(seen, hops=tuple(hops), problem="barred", reason="it leads from https to http")
            after = await self._one(to, Asked(headers=tuple(headers.items())))
            if after.status is None:
                return replace(seen, hops=tuple(hops), problem=after.problem, reason=after.reason)
            seen = after
        return replace(seen, hops=tuple(hops))

    async def post(self, url: str, content: bytes, media_type: str) -> Seen:
        """What POST brings; it is sent to the configured portal alone, and only if probing was asked for."""
        with suppress(Barred):
            if self._active and self.rules.own(self.rules.admit(url)):
                return await self._one(url, Asked("POST", (("Content-Type", media_type),), content))
        return Seen(url, problem="barred", reason="probes are sent to the configured portal only")

    async def _one(self, url: str, asked: Asked) -> Seen:
        async with self._turns:
            left = min(FETCH_SECONDS, self._end - time.monotonic())
            if left <= 0:
                return Seen(url, problem="slow", reason="no time was left for it")
            try:
                async with asyncio.timeout(left):
                    return await self._admitted(url, asked)
            except Invalid as error:
                return Seen(url, problem="invalid", reason=str(error))
            except Barred as error:
                return Seen(url, problem="barred", reason=str(error))
            except TimeoutError:
                return Seen(url, problem="slow", reason="it was too slow")

    async def _admitted(self, url: str, asked: Asked) -> Seen:
        import httpx2

        origin = self.rules.admit(url)
        addresses = await self._known(origin.host)
        if not addresses:
            return Seen(url, problem="name", reason="its name has no address")
        self.rules.admit_addresses(origin, addresses)
        seen = Seen(url)
        for address in addresses[:MOST_ADDRESSES]:
            try:
                return await self._exchange(url, address, asked)
            except httpx2.TransportError as error:
                problem, reason = meaning(error)
                seen = Seen(url, problem=problem, reason=reason)
                if problem != "connect":
                    break
        return seen

    async def _known(self, host: str) -> list[str]:
        try:
            return [str(ipaddress.ip_address(host))]
        except ValueError:
            pass
        if host not in self._addresses:
            self._addresses[host] = asyncio.ensure_future(self._resolve(host))
        # Shielded: one request that ran out of time must not take the name from the others.
        return list(dict.fromkeys(await asyncio.shield(self._addresses[host])))

    async def _exchange(self, url: str, address: str, asked: Asked) -> Seen:
        import httpx2

        parsed = httpx2.URL(url)
        request = httpx2.Request(
            asked.method,
            parsed.copy_with(host=address, fragment=None),
            headers=[("Host", parsed.netloc.decode("ascii")), *HEADERS.items(), *asked.headers],
            content=asked.content or None,
            # The certificate has to be that of the name, whatever address is connected to.
            extensions={"sni_hostname": parsed.raw_host.decode("ascii"), "timeout": {"connect": CONNECT_SECONDS}},
        )
        response = await self._transport.handle_async_request(request)
        try:
            certificate = _certificate(response)
            body, whole = await _body(response)
        finally:
            await response.aclose()
        headers = {name.lower(): value for name, value in response.headers.items()}
        return Seen(url, response.status_code, headers, body, whole, certificate=certificate)


def downgrade(before: str, after: str) -> bool:
    """Whether a redirect leaves https, so that anybody on the way could answer."""
    return before.lower().startswith("https:") and not after.lower().startswith("https:")


def meaning(error: "httpx2.TransportError") -> tuple[Problem, str]:
    """What a failure on the way means, in our words."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return "tls", "its certificate is not valid"
        if isinstance(cause, ssl.SSLError):
            return "tls", "no TLS handshake"
        cause = cause.__cause__ or cause.__context__
    return next(MEANING[kind.__name__] for kind in type(error).__mro__ if kind.__name__ in MEANING)


async def _body(response: "httpx2.Response") -> tuple[bytes, bool]:
    """At most BODY_BYTES of the body as it came, and whether that is all; a stream of events never ends."""
    import httpx2

    if response.headers.get("content-type", "").startswith("text/event-stream"):
        return b"", False
    taken = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for chunk in response.aiter_raw():
                taken += chunk
                if len(taken) > BODY_BYTES:
                    return bytes(taken[:BODY_BYTES]), False
    except (TimeoutError, httpx2.TransportError):
        return bytes(taken), False
    return bytes(taken), True


def _certificate(response: "httpx2.Response") -> Certificate | None:
    stream = response.extensions.get("network_stream")
    channel = stream.get_extra_info("ssl_object") if stream is not None else None
    if channel is None:
        return None
    ends = (channel.getpeercert() or {}).get("notAfter")
    expires = datetime.fromtimestamp(ssl.cert_time_to_seconds(ends), UTC) if isinstance(ends, str) else None
    return Certificate(channel.version() or "unknown", expires)
