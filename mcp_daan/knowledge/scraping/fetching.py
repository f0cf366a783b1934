"""Get a page: https only, of origins that the team listed, at public addresses, within bounds.

Whoever may say what is fetched must not reach what only this machine reaches: the address is looked up once, checked,
and that very address is connected to, with the certificate still held against the name.
"""

import asyncio
import ipaddress
import ssl
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

import mcp_daan
from mcp_daan.addresses import Address, is_public, resolved
from mcp_daan.errors import DaanError, InvalidArguments, NotFound, Refused, TooLarge, TooSlow, Unavailable

if TYPE_CHECKING:
    import httpx2

PAGE_BYTES = 2 * 2**20
PAGE_SECONDS = 20.0
MOST_HOPS = 5
URL_CHARACTERS = 2000
MOST_ADDRESSES = 4
# Markdown first: many sites of documentation give their source to whoever asks for it.
ACCEPT = "text/markdown, text/html;q=0.8, text/plain;q=0.7"
_REDIRECTS = (301, 302, 303, 307, 308)

Resolve = Callable[[str], Awaitable[list[str]]]


@dataclass(frozen=True)
class Got:
    """What an address answered; `url` is where it was in the end. `status` is 200 or 304."""

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes


class Fetching:
    """Requests to the *origins*, each written as `https://host` or `https://host:port`.

    *resolve* and *allowed* stand in for the network's names and addresses where that is tested.
    """

    def __init__(
        self,
        origins: Sequence[str],
        *,
        resolve: Resolve = resolved,
        allowed: Callable[[Address], bool] = is_public,
    ) -> None:
        self._origins = list(origins)
        self._resolve = resolve
        self._allowed = allowed

    async def get(self, url: str, headers: Mapping[str, str]) -> Got:
        """The page at *url*, through redirects within the origins.

        Raises InvalidArguments or Refused for an address that is not gone to, NotFound, TooLarge, TooSlow, Unavailable.
        """
        try:
            async with asyncio.timeout(PAGE_SECONDS):
                return await self._through_redirects(url, headers)
        except TimeoutError:
            raise TooSlow(f"{_host(url)} took longer than {PAGE_SECONDS:g} s.", advice="Try again later.") from None

    async def _through_redirects(self, url: str, headers: Mapping[str, str]) -> Got:
        for _ in range(MOST_HOPS + 1):
            got = await self._one(url, headers)
            if got.status not in _REDIRECTS:
                return _good(got)
            url = urljoin(url, got.headers.get("location", "")).partition("#")[0]
        raise Unavailable(
            f"{_host(url)} redirects too often.", advice="Open the page in a browser and use its address."
        )

    async def _one(self, url: str, headers: Mapping[str, str]) -> Got:
        import httpx2

        host = self.admitted(url)
        addresses = await self._addresses(host)
        async with httpx2.AsyncHTTPTransport(
            verify=httpx2.create_ssl_context(), limits=httpx2.Limits(max_keepalive_connections=0)
        ) as transport:
            for number, address in enumerate(addresses[:MOST_ADDRESSES], 1):
                try:
                    return await _exchange(transport, url, address, headers)
                except httpx2.TransportError as error:
                    if number == min(len(addresses), MOST_ADDRESSES) or not isinstance(error, httpx2.ConnectError):
                        raise _failure(host, error) from None
        raise AssertionError("an address is always tried")

    def admitted(self, url: str) -> str:
        """The host of *url*, if it may be fetched. Raises InvalidArguments or Refused with the line to add."""
        parts = _parts(url)
        if parts is None or parts[0] != "https" or len(url) > URL_CHARACTERS:
            raise InvalidArguments(
                "A page's address begins with https:// and has no name or password in it.",
                advice="Write it like https://developers.cloudflare.com/d1/platform/limits/",
            )
        _, host, port = parts
        origin = f"https://{host}" if port == 443 else f"https://{host}:{port}"
        listed = [_parts(each) for each in self._origins]
        if parts not in listed:
            raise Refused(
                f"{origin} is not among the origins that may be fetched.",
                advice="If its pages can be trusted, add to daan.toml under [knowledge]:"
                f" scrape_origins = {[*self._origins, origin]}".replace("'", '"'),
            )
        return host

    async def _addresses(self, host: str) -> list[str]:
        try:
            found = [str(ipaddress.ip_address(host.strip("[]")))]
        except ValueError:
            found = list(dict.fromkeys(await self._resolve(host)))
        if not found:
            raise Unavailable(f"{host} has no address.", advice="Are you offline? Else look at how it is spelled.")
        if not all(self._allowed(ipaddress.ip_address(each.partition("%")[0])) for each in found):
            raise Refused(
                f"{host} is an address of this machine or its network, which is not fetched.",
                advice="Only pages of the internet are scraped; write a page of your own by hand.",
            )
        return found


def _parts(url: str) -> tuple[str, str, int] | None:
    """(scheme, host, port); None for what is no such address, or has more in it than these, a path and a query."""
    if not url.isprintable() or "\\" in url or " " in url:
        return None
    try:
        split = urlsplit(url)
        port = split.port
        host = (split.hostname or "").encode("idna").decode() if ":" not in (split.hostname or "") else split.hostname
    except (ValueError, UnicodeError):
        return None
    if not host or "@" in split.netloc:
        return None
    return split.scheme.lower(), host, 443 if port is None else port


def _host(url: str) -> str:
    parts = _parts(url)
    return parts[1] if parts else "the page"


async def _exchange(transport: "httpx2.AsyncHTTPTransport", url: str, address: str, headers: Mapping[str, str]) -> Got:
    import httpx2

    parsed = httpx2.URL(url)
    request = httpx2.Request(
        "GET",
        parsed.copy_with(host=address, fragment=None),
        headers=[
            ("Host", parsed.netloc.decode("ascii")),
            ("User-Agent", f"mcp-daan/{mcp_daan.__version__} (scrape)"),
            ("Accept", ACCEPT),
            # Not compressed: a few bytes could swell to more than memory holds.
            ("Accept-Encoding", "identity"),
            *headers.items(),
        ],
        # The certificate has to be that of the name, whatever address is connected to.
        extensions={"sni_hostname": parsed.raw_host.decode("ascii"), "timeout": {"connect": PAGE_SECONDS / 4}},
    )
    response = await transport.handle_async_request(request)
    taken = bytearray()
    try:
        async for chunk in response.aiter_raw():
            taken += chunk
            if len(taken) > PAGE_BYTES:
                raise TooLarge(
                    f"The page is larger than {PAGE_BYTES // 2**20} MiB.", advice="Scrape a page of its parts instead."
                )
    finally:
        await response.aclose()
    return Got(
        url, response.status_code, {name.lower(): value for name, value in response.headers.items()}, bytes(taken)
    )


def _good(got: Got) -> Got:
    if got.status in (200, 304):
        if got.headers.get("content-encoding", "identity") not in ("identity", ""):
            raise Unavailable(f"{_host(got.url)} sent a compressed page unasked.", advice="Write the page by hand.")
        return got
    if got.status in (404, 410):
        raise NotFound(f"{_host(got.url)} has no such page ({got.status}).", advice="Look where it moved to.")
    raise Unavailable(
        f"{_host(got.url)} answered {got.status}.",
        advice="Try again later." if got.status >= 500 or got.status == 429 else "The page may not be public.",
        retryable=got.status >= 500 or got.status == 429,
    )


def _failure(host: str, error: "httpx2.TransportError") -> DaanError:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLError):
            return Unavailable(f"The certificate of {host} is not valid.", advice="Nothing was fetched.")
        cause = cause.__cause__ or cause.__context__
    return Unavailable(f"{host} could not be reached.", advice="Are you offline? Else try again later.")
