"""Cloudflare's REST API, read and never written, as one token sees it.

Whoever needs it asks `app.cloudflare`; what its answers mean stands in `envelopes`.
"""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from mcp_daan import __version__
from mcp_daan.config import Limits
from mcp_daan.envelopes import (
    KINDS,
    NOTHING,
    TOKEN_ADVICE,
    Envelope,
    failure,
    kind_of,
    opened,
    pause_told,
    resting,
    upstream_of,
)
from mcp_daan.errors import InvalidArguments, RejectedCredentials, Upstream
from mcp_daan.stopping import pause
from mcp_daan.wire import Lost, Received, Wire

__all__ = ["Cloudflare", "Content", "Envelope", "failure", "path"]

BASE = "https://api.cloudflare.com/client/v4"
# What one answer may weigh: D1 gives a few megabytes, and what is larger is no answer of an API.
MAX_BYTES = 16 << 20
# How often a request is sent in all; a 7403 that is no mistake stays one.
ATTEMPTS = 5
MOST_OF_ONE = {"wrong_account": 2}
FIRST_PAUSE_SECONDS = 0.25
MOST_PAGES = 100
# Elsewhere plain HTTP would show the token to everybody on the way.
LOOPBACK = {"localhost", "127.0.0.1", "::1"}


@dataclass(frozen=True)
class Content:
    """Bytes that came without an envelope; `cut` says that there are more. Header names are lower-case."""

    data: bytes
    cut: bool
    headers: Mapping[str, str]


class Cloudflare:
    """One token and one account. It shows nothing of the token, cannot be pickled, and sends nothing that writes."""

    __slots__ = ("_base", "_connect_seconds", "_headers", "_rest", "_seconds", "_wire", "account_id")

    def __init__(
        self, token: str, *, account_id: str | None = None, base: str | None = None, limits: Limits | None = None
    ) -> None:
        limits = limits or Limits()
        self.account_id = account_id
        self._headers = {"Authorization": f"Bearer {_sendable(token)}", "User-Agent": f"mcp-daan/{__version__}"}
        self._base = _checked(base or BASE)
        self._seconds = limits.request_seconds
        self._connect_seconds = limits.connect_seconds
        # A proxy would see the token in what is not encrypted.
        self._wire = Wire(proxied=self._base.startswith("https"))
        self._rest = 0.0

    def __repr__(self) -> str:
        return "Cloudflare(***)"

    def __reduce__(self) -> str:
        raise TypeError("a token is not pickled")

    def account(self, *parts: str, account_id: str | None = None) -> str:
        """The path of something of the account, each part quoted. InvalidArguments while no account is known."""
        account = account_id or self.account_id
        if not account:
            raise InvalidArguments(
                "No Cloudflare account is set.",
                advice="Set CLOUDFLARE_ACCOUNT_ID, or `account_id` under `[cloudflare]` in daan.toml.",
            )
        return path("accounts", account, *parts)

    def get(self, path: str, params: Mapping[str, str | int] = NOTHING, *, seconds: float | None = None) -> Envelope:
        """The answer to GET *path*, below the API's base, within *seconds*."""
        return opened(self._answer("GET", path, params, None, seconds, MAX_BYTES))

    def read(self, path: str, body: Mapping[str, Any], *, seconds: float | None = None) -> Envelope:
        """The answer to a POST that only reads: it is sent again when its answer was lost."""
        sent = json.dumps(body, separators=(",", ":")).encode()
        return opened(self._answer("POST", path, NOTHING, sent, seconds, MAX_BYTES))

    def content(
        self, path: str, params: Mapping[str, str | int] = NOTHING, *, max_bytes: int, seconds: float | None = None
    ) -> Content:
        """What stands at *path* as it is, its first *max_bytes*."""
        found = self._answer("GET", path, params, None, seconds, max_bytes)
        return Content(found.body, found.cut, found.headers)

    def listed(
        self, path: str, params: Mapping[str, str | int] = NOTHING, *, limit: int, seconds: float | None = None
    ) -> list[Any]:
        """The first *limit* items of a list, following its pages or its cursor; *params* may hold `per_page`."""
        deadline = time.monotonic() + (seconds or self._seconds)
        found: list[Any] = []
        asked = dict(params)
        before: object = None
        for number in range(1, MOST_PAGES + 1):
            page = self.get(path, asked, seconds=max(deadline - time.monotonic(), 0.01))
            if not isinstance(page.result, list):
                raise failure("malformed")
            # Who knows no pages gives the same one again and again.
            if not page.result or page.result == before:
                break
            found += page.result
            before = page.result
            further = _further(page.info, number, len(found))
            if len(found) >= limit or not further:
                break
            asked |= further
        return found[:limit]

    def close(self) -> None:
        """End the connections."""
        self._wire.close()

    def _answer(
        self,
        method: str,
        path: str,
        params: Mapping[str, str | int],
        body: bytes | None,
        seconds: float | None,
        max_bytes: int,
    ) -> Received:
        """The first answer that is none of a failure; asked again for what passes by itself, while time is left."""
        deadline = time.monotonic() + (seconds or self._seconds)
        url = self._base + path + (f"?{urlencode(params)}" if params else "")
        seen: list[str] = []
        while True:
            if self._rest >= deadline:
                raise resting(self._rest - time.monotonic())
            pause(max(self._rest - time.monotonic(), 0))
            received, kind, upstream = self._attempt(
                method, url, body, max(deadline - time.monotonic(), 0.01), max_bytes
            )
            if received is not None and kind is None:
                return received
            assert kind is not None
            seen.append(kind)
            told = pause_told(received)
            if told is not None and kind == "overloaded":
                self._rest = time.monotonic() + told
            wait = FIRST_PAUSE_SECONDS * 2 ** (len(seen) - 1) if told is None else told
            again = KINDS[kind].passes and seen.count(kind) < MOST_OF_ONE.get(kind, ATTEMPTS)
            if not again or time.monotonic() + wait >= deadline:
                raise resting(told, upstream) if told and kind == "overloaded" else failure(kind, upstream)
            pause(wait)

    def _attempt(
        self, method: str, url: str, body: bytes | None, seconds: float, max_bytes: int
    ) -> tuple[Received | None, str | None, Upstream]:
        """What came of one request, and the kind of its failure or None."""
        headers = self._headers if body is None else {**self._headers, "Content-Type": "application/json"}
        try:
            received = self._wire.exchange(
                method,
                url,
                headers=headers,
                body=body,
                seconds=seconds,
                connect_seconds=self._connect_seconds,
                max_bytes=max_bytes,
            )
        except Lost as lost:
            return None, lost.loss, Upstream(None, None)
        if 200 <= received.status < 300:
            return received, None, Upstream(received.status, None)
        upstream = upstream_of(received)
        return received, kind_of(received, upstream), upstream


def path(*parts: str) -> str:
    """A path below the API's base, each part quoted. InvalidArguments for a part that would lead elsewhere."""
    if any(part in ("", ".", "..") for part in parts):
        raise InvalidArguments("An id is empty or a dot.", advice="Check the ids in daan.toml and the environment.")
    return "".join(f"/{quote(part, safe='')}" for part in parts)


def _further(info: Mapping[str, Any], number: int, count: int) -> dict[str, str | int]:
    """What to ask for the page after *number*, when *count* items came so far; nothing at the end."""
    cursors = info.get("cursors")
    cursor = info.get("cursor") or (cursors.get("after") if isinstance(cursors, dict) else None)
    if isinstance(cursor, str) and cursor:
        return {"cursor": cursor}
    total, pages = info.get("total_count"), info.get("total_pages")
    more = (isinstance(total, int) and count < total) or (isinstance(pages, int) and number < pages)
    return {"page": number + 1} if more and info.get("page", number) == number else {}


def _sendable(token: str) -> str:
    token = token.strip()
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        raise RejectedCredentials("CLOUDFLARE_API_TOKEN is not an API token.", advice=TOKEN_ADVICE)
    return token


def _checked(base: str) -> str:
    try:
        parts = urlsplit(base)
        fits = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)
        fits = fits and bool(parts.hostname) and parts.port != 0
    except ValueError:
        fits = False
    if not fits or parts.username or parts.password or parts.query or parts.fragment:
        raise InvalidArguments(
            "DAAN_CLOUDFLARE_API is not an address to send a token to.",
            advice="Give an https:// address (http:// only for this machine), or unset it.",
        )
    return base.rstrip("/")
