"""Questions to the authorization server: short, bounded, only to where the configuration says."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlsplit

import anyio
import httpx2

from mcp_daan.errors import InvalidArguments, Unavailable

SECONDS = 5.0
MOST = 1 << 20
# How many questions may be under way: a flood of wrong tokens must not become one of questions.
AT_ONCE = 8


class Fetching:
    """A client of the authorization server."""

    def __init__(self) -> None:
        self._client = httpx2.AsyncClient(timeout=SECONDS, follow_redirects=False)
        self._places = anyio.CapacityLimiter(AT_ONCE)

    async def get(self, url: str) -> dict[str, Any]:
        """The JSON object at *url*. Raises Unavailable when there is none."""
        return await self._asked("GET", url, None, None)

    async def post(self, url: str, form: Mapping[str, str], client: tuple[str, str] | None) -> dict[str, Any]:
        """The JSON object that *url* answers to *form*, asked by *client*: its id and secret."""
        # RFC 6749 §2.3.1: both are form-encoded before they become a Basic header.
        known = (quote(client[0], safe=""), quote(client[1], safe="")) if client else None
        return await self._asked("POST", url, form, known)

    async def close(self) -> None:
        """End the connections."""
        await self._client.aclose()

    async def _asked(
        self, method: str, url: str, form: Mapping[str, str] | None, client: tuple[str, str] | None
    ) -> dict[str, Any]:
        try:
            async with self._places:
                with anyio.fail_after(SECONDS):
                    auth = httpx2.BasicAuth(*client) if client else None
                    headers = {"accept": "application/json"}
                    async with self._client.stream(method, url, data=form, auth=auth, headers=headers) as response:
                        body = b""
                        async for chunk in response.aiter_bytes():
                            body += chunk
                            if len(body) > MOST:
                                raise _silent()
        except (httpx2.HTTPError, httpx2.InvalidURL, TimeoutError):
            raise _silent() from None
        try:
            found = json.loads(body)
        except (ValueError, RecursionError):
            found = None
        if response.status_code != 200 or not isinstance(found, dict):
            raise _silent()
        return found


def _silent() -> Unavailable:
    return Unavailable("The authorization server did not answer as it should.", advice="Try again in a moment.")


def checked(name: str, url: str) -> str:
    """*url*, the setting *name*. Raises InvalidArguments unless it is HTTPS, or HTTP on this machine."""
    parts = urlsplit(url)
    local = parts.hostname in ("localhost", "127.0.0.1", "::1")
    if not parts.hostname or parts.scheme not in ("https", "http") or (parts.scheme == "http" and not local):
        raise InvalidArguments(f"`[http] {name}` is not an https address.", advice=f"Mend `{name}` in daan.toml.")
    return url
