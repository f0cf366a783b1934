"""Cloudflare's REST API, read and never written, as one token sees it.

Whoever needs it asks `app.cloudflare`; failures are told apart in one table, in words of our own.
"""

import json
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from types import MappingProxyType
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from mcp_daan import __version__
from mcp_daan.config import Limits
from mcp_daan.errors import (
    DaanError,
    InvalidArguments,
    NotFound,
    RejectedCredentials,
    TooLarge,
    TooSlow,
    Unavailable,
    Upstream,
)
from mcp_daan.wire import Lost, Received, Wire

BASE = "https://api.cloudflare.com/client/v4"
# What one answer may weigh: D1 gives a few megabytes, and what is larger is no answer of an API.
MAX_BYTES = 16 << 20
# And how many values it may hold: each takes many times its bytes in memory.
MOST_VALUES = 4_000_000
SIGNS = (b",", b"[", b"{")
# How often a request is sent in all; a 7403 that is no mistake stays one.
ATTEMPTS = 5
MOST_OF_ONE = {"wrong_account": 2}
FIRST_PAUSE_SECONDS = 0.25
# Cloudflare blocks a token for so long after too many requests.
LONGEST_REST_SECONDS = 300.0
MOST_PAGES = 100
# Elsewhere plain HTTP would show the token to everybody on the way.
LOOPBACK = {"localhost", "127.0.0.1", "::1"}
NOTHING: Mapping[str, Any] = MappingProxyType({})
TOKEN_ADVICE = (
    "Make a new token with `D1 Read` at dash.cloudflare.com (My Profile, API Tokens); set CLOUDFLARE_API_TOKEN."
)


@dataclass(frozen=True)
class Kind:
    """One way to fail; what `passes` by itself is worth asking again."""

    failure: type[DaanError]
    message: str
    advice: str
    passes: bool = False
    retryable: bool | None = None


KINDS: dict[str, Kind] = {
    "unreachable": Kind(Unavailable, "Cloudflare could not be reached.", "Check the network and DAAN_CLOUDFLARE_API."),
    "timeout": Kind(TooSlow, "Cloudflare did not answer in time.", "Ask for less, or raise `request_seconds` under `[limits]`."),
    "cut": Kind(Unavailable, "Cloudflare's answer broke off.", "Ask again in a moment.", True),
    "closed": Kind(Unavailable, "The server is closing.", "Start it again."),
    "redirect": Kind(Unavailable, "Cloudflare's address answered with a redirect, which is not followed: it would carry the token elsewhere.", "Check DAAN_CLOUDFLARE_API and the network's proxy.", retryable=False),
    "html": Kind(Unavailable, "A web page came back instead of Cloudflare's API.", "Check DAAN_CLOUDFLARE_API and the network's proxy or sign-in page.", retryable=False),
    "malformed": Kind(Unavailable, "What came back is not an answer of Cloudflare's API.", "Check DAAN_CLOUDFLARE_API; ask again in a moment."),
    "too_large": Kind(TooLarge, "Cloudflare's answer is larger than may be read.", "Ask for less of it."),
    "quota": Kind(Unavailable, "The account's daily limit of D1 is used up.", "Wait until midnight UTC, or use a paid plan; the local database answers meanwhile.", retryable=False),
    "overloaded": Kind(Unavailable, "Cloudflare has too many requests at the moment.", "Ask again in a few minutes, and for less.", True),
    "transient": Kind(Unavailable, "Cloudflare failed for a moment.", "Ask again in a moment; www.cloudflarestatus.com tells of outages.", True),
    "internal": Kind(Unavailable, "Cloudflare tells of an internal error.", "Ask again in a moment; www.cloudflarestatus.com tells of outages."),
    "exhausted": Kind(TooSlow, "The statement ran past D1's own limits of time, memory or processor.", "Read fewer rows, or filter by an indexed column."),
    "bad_token": Kind(RejectedCredentials, "Cloudflare does not know the API token.", TOKEN_ADVICE),
    "missing_scope": Kind(RejectedCredentials, "Cloudflare rejects the API token for this: a permission is missing, or it expired or was revoked.", "Give the token the permission to read this (`D1 Read` for D1) on this account."),
    "wrong_account": Kind(RejectedCredentials, "The account is not valid for this API token.", "Check CLOUDFLARE_ACCOUNT_ID, and that the token has `D1 Read` on that account.", True),
    "not_found": Kind(NotFound, "Cloudflare knows no such thing in this account.", "Check the id and CLOUDFLARE_ACCOUNT_ID."),
    "bad_id": Kind(InvalidArguments, "An id or a parameter is not of the form that Cloudflare takes.", "Check the id in daan.toml or the wrangler configuration; give numbers as text to CAST(? AS INTEGER)."),
    "statement": Kind(InvalidArguments, "D1 does not take the statement.", "Read the tables and columns with `d1_schema`."),
    "rejected": Kind(Unavailable, "Cloudflare did not take the request.", "Report it, with what was asked.", retryable=False),
}  # fmt: skip

# By the words, since the code 7500 alone says nothing.
WORDS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), kind)
    for pattern, kind in (
        (r"exceeded D1's .*limit|daily (row )?(read|write)\w* limit", "quota"),
        (r"D1 DB is overloaded|too many requests queued", "overloaded"),
        (r"network connection lost|storage caused object to be reset|reset because its code was updated", "transient"),
        (r"cannot resolve D1 DB due to transient|client disconnected", "transient"),
        (r"exceeded timeout|exceeded its (memory|CPU time) limit", "exhausted"),
        (r"return values are limited to", "too_large"),
        (r"^internal error", "internal"),
    )
)
CODES = {
    7500: "statement",
    7403: "wrong_account",
    7404: "not_found",
    7400: "bad_id",
    7003: "not_found",
    10007: "not_found",
    10009: "not_found",
    10013: "not_found",
    1000: "bad_token",
    9106: "bad_token",
    6003: "bad_token",
    6111: "bad_token",
    10000: "missing_scope",
    9109: "missing_scope",
    971: "overloaded",
}
STATUSES = {401: "bad_token", 403: "missing_scope", 404: "not_found", 408: "transient", 413: "rejected"}


@dataclass(frozen=True)
class Envelope:
    """The result of an answer, and what it says of pages."""

    result: Any
    info: Mapping[str, Any]


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
        return _opened(self._answer("GET", path, params, None, seconds, MAX_BYTES))

    def read(self, path: str, body: Mapping[str, Any], *, seconds: float | None = None) -> Envelope:
        """The answer to a POST that only reads: it is sent again when its answer was lost."""
        sent = json.dumps(body, separators=(",", ":")).encode()
        return _opened(self._answer("POST", path, NOTHING, sent, seconds, MAX_BYTES))

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
                raise _resting(self._rest - time.monotonic())
            time.sleep(max(self._rest - time.monotonic(), 0))
            received, kind, upstream = self._attempt(
                method, url, body, max(deadline - time.monotonic(), 0.01), max_bytes
            )
            if received is not None and kind is None:
                return received
            assert kind is not None
            seen.append(kind)
            told = _pause_told(received)
            if told is not None and kind == "overloaded":
                self._rest = time.monotonic() + told
            pause = FIRST_PAUSE_SECONDS * 2 ** (len(seen) - 1) if told is None else told
            again = KINDS[kind].passes and seen.count(kind) < MOST_OF_ONE.get(kind, ATTEMPTS)
            if not again or time.monotonic() + pause >= deadline:
                raise _resting(told, upstream) if told and kind == "overloaded" else failure(kind, upstream)
            time.sleep(pause)

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
        upstream = _upstream(received)
        return received, _kind(received, upstream), upstream


def path(*parts: str) -> str:
    """A path below the API's base, each part quoted. InvalidArguments for a part that would lead elsewhere."""
    if any(part in ("", ".", "..") for part in parts):
        raise InvalidArguments("An id is empty or a dot.", advice="Check the ids in daan.toml and the environment.")
    return "".join(f"/{quote(part, safe='')}" for part in parts)


def failure(kind: str, upstream: Upstream | None = None, *, advice: str | None = None) -> DaanError:
    """The failure of that *kind*, with what Cloudflare answered as its `upstream`."""
    meaning = KINDS[kind]
    error = meaning.failure(meaning.message, advice=advice or meaning.advice, retryable=meaning.retryable)
    error.upstream = upstream
    return error


def _opened(received: Received) -> Envelope:
    """The envelope in a good answer; what only looks like one is a failure."""
    if received.cut or sum(map(received.body.count, SIGNS)) > MOST_VALUES:
        raise failure("too_large", Upstream(received.status, None))
    envelope = _json(received.body)
    if not isinstance(envelope, dict) or "success" not in envelope:
        raise failure("html" if _is_page(received) else "malformed", Upstream(received.status, None))
    if envelope["success"] is not True:
        upstream = _upstream(received)
        raise failure(_kind(received, upstream), upstream)
    info = envelope.get("result_info")
    return Envelope(envelope.get("result"), info if isinstance(info, dict) else NOTHING)


def _kind(received: Received, upstream: Upstream) -> str:
    """The kind of failure that an answer tells of."""
    if 300 <= received.status < 400:
        return "redirect"
    if received.status == 429:
        return "quota" if _worded(upstream.text) == "quota" else "overloaded"
    if upstream.code is not None:
        known = _worded(upstream.text) or CODES.get(upstream.code) or STATUSES.get(received.status)
        if known:
            return known
    if received.status >= 500:
        return "transient"
    if upstream.code is None:
        return "html" if _is_page(received) else STATUSES.get(received.status, "malformed")
    return "rejected"


def _worded(text: str) -> str | None:
    return next((kind for pattern, kind in WORDS if pattern.search(text)), None)


def _upstream(received: Received) -> Upstream:
    envelope = _json(received.body)
    errors = envelope.get("errors") if isinstance(envelope, dict) else None
    first = errors[0] if isinstance(errors, list) and errors and isinstance(errors[0], dict) else {}
    code = first.get("code")
    return Upstream(received.status, code if type(code) is int else None, str(first.get("message", "")))


def _json(body: bytes) -> object:
    """The JSON in *body*, whole numbers exact; None for anything else."""
    try:
        return json.loads(body.decode(), parse_constant=_no_constant)
    except (ValueError, RecursionError):
        return None


def _no_constant(name: str) -> None:
    raise ValueError(name)  # NaN and its like are no JSON


def _is_page(received: Received) -> bool:
    return "html" in received.headers.get("content-type", "") or received.body.lstrip()[:1] == b"<"


def _pause_told(received: Received | None) -> float | None:
    """The seconds to wait by `Retry-After` or `Ratelimit`, where an answer says so."""
    if received is None or received.status not in (429, 503):
        return None
    told = received.headers.get("retry-after", "")
    used_up = re.search(r"\br=0;\s*t=(\d{1,6})\b", received.headers.get("ratelimit", ""))
    if re.fullmatch(r"\d{1,9}", told):
        seconds = float(told)
    elif told:
        try:
            seconds = parsedate_to_datetime(told).timestamp() - time.time()
        except ValueError:
            return None
    elif used_up:
        seconds = float(used_up[1])
    else:
        return None
    return min(max(seconds, 0.0), LONGEST_REST_SECONDS)


def _resting(seconds: float, upstream: Upstream | None = None) -> DaanError:
    return failure("overloaded", upstream, advice=f"Cloudflare asks to wait: ask again in {int(seconds) + 1} seconds.")


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
