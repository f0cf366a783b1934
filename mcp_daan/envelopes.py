"""What an answer of Cloudflare's API says: its envelope, or one of the ways to fail, in words of our own."""

import json
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from types import MappingProxyType
from typing import Any

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
from mcp_daan.wire import Received

# How many values an answer may hold: each takes many times its bytes in memory.
MOST_VALUES = 4_000_000
SIGNS = (b",", b"[", b"{")
# Cloudflare blocks a token for so long after too many requests.
LONGEST_REST_SECONDS = 300.0
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
    "closed": Kind(Unavailable, "The server is closing, or the call was cancelled.", "Start it again, or call again."),
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


def failure(kind: str, upstream: Upstream | None = None, *, advice: str | None = None) -> DaanError:
    """The failure of that *kind*, with what Cloudflare answered as its `upstream`."""
    meaning = KINDS[kind]
    error = meaning.failure(meaning.message, advice=advice or meaning.advice, retryable=meaning.retryable)
    error.upstream = upstream
    return error


def opened(received: Received) -> Envelope:
    """The envelope in a good answer; what only looks like one is a failure."""
    if received.cut or sum(map(received.body.count, SIGNS)) > MOST_VALUES:
        raise failure("too_large", Upstream(received.status, None))
    envelope = _json(received.body)
    if not isinstance(envelope, dict) or "success" not in envelope:
        raise failure("html" if _is_page(received) else "malformed", Upstream(received.status, None))
    if envelope["success"] is not True:
        upstream = upstream_of(received)
        raise failure(kind_of(received, upstream), upstream)
    info = envelope.get("result_info")
    return Envelope(envelope.get("result"), info if isinstance(info, dict) else NOTHING)


def kind_of(received: Received, upstream: Upstream) -> str:
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


def upstream_of(received: Received) -> Upstream:
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


def pause_told(received: Received | None) -> float | None:
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


def resting(seconds: float, upstream: Upstream | None = None) -> DaanError:
    return failure("overloaded", upstream, advice=f"Cloudflare asks to wait: ask again in {int(seconds) + 1} seconds.")
