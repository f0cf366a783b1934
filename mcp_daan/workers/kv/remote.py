"""Read a namespace of the account over Cloudflare's REST API."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from mcp_daan.cloudflare import Cloudflare
from mcp_daan.errors import DaanError, NotFound, RejectedCredentials, Unavailable
from mcp_daan.workers.kv.keys import Key, Keys, too_deep
from mcp_daan.workers.kv.local import Stored, missing_key
from mcp_daan.workers.kv.namespaces import Namespace

# KV's own bounds: a list gives at least 10 keys and at most 1,000, and a namespace has no more than that.
LEAST_KEYS, MOST_KEYS = 10, 1000
MOST_PAGES = 100
MOST_NAMESPACES = 1000
MISSING_KEY, MISSING_NAMESPACE = 10009, 10013
EVENTUAL = (
    "KV is eventually consistent: a write can take 60 seconds or more to be seen here, so this may be an older state."
)
SCOPE = "Give the API token the permission `Workers KV Storage: Read` on this account, and check CLOUDFLARE_ACCOUNT_ID."


def namespaces(cloudflare: Cloudflare, *, seconds: float | None = None) -> list[Namespace]:
    """The namespaces of the account, by their titles."""
    with _in_words_of_kv():
        found = cloudflare.listed(
            cloudflare.account("storage", "kv", "namespaces"),
            {"per_page": 100},
            limit=MOST_NAMESPACES,
            seconds=seconds,
        )
    return [
        Namespace(each["title"], "remote", each["id"])
        for each in found
        if isinstance(each, dict) and isinstance(each.get("id"), str) and isinstance(each.get("title"), str)
    ]


def list_keys(
    cloudflare: Cloudflare, namespace: Namespace, prefix: str = "", *, limit: int, skip: int = 0, seconds: float
) -> Keys:
    """At most *limit* keys that begin with *prefix*, after the first *skip*.

    Cloudflare's own cursors stay here, since they may tell the names of keys: each page is counted from the start.
    """
    deadline = time.monotonic() + seconds
    wanted = skip + limit + 1
    found: list[Key] = []
    asked: dict[str, str | int] = {"limit": min(max(wanted, LEAST_KEYS), MOST_KEYS)} | (
        {"prefix": prefix} if prefix else {}
    )
    with _in_words_of_kv():
        for _ in range(MOST_PAGES):
            page = cloudflare.get(
                cloudflare.account("storage", "kv", "namespaces", _id(namespace), "keys"),
                asked,
                seconds=max(deadline - time.monotonic(), 0.01),
            )
            if not isinstance(page.result, list):
                raise Unavailable("What came back is no list of keys.", advice="Check DAAN_CLOUDFLARE_API; ask again.")
            found += [
                _key(each) for each in page.result if isinstance(each, dict) and isinstance(each.get("name"), str)
            ]
            # A page may be empty and still not the last: only the cursor tells.
            cursor = page.info.get("cursor")
            if len(found) >= wanted or not isinstance(cursor, str) or not cursor or cursor == asked.get("cursor"):
                break
            asked["cursor"] = cursor
        else:
            raise Unavailable("The namespace gives page after page.", advice="Give a longer `prefix`.")
    return Keys(found[skip : skip + limit], more=len(found) > skip + limit)


def read_value(cloudflare: Cloudflare, namespace: Namespace, key: str, *, max_bytes: int, seconds: float) -> Stored:
    """The value of *key*, its first *max_bytes*, with its expiry and metadata. NotFound without the key."""
    deadline = time.monotonic() + seconds
    below = ("storage", "kv", "namespaces", _id(namespace))
    with _in_words_of_kv():
        content = cloudflare.content(
            cloudflare.account(*below, "values", key), max_bytes=max_bytes, seconds=deadline - time.monotonic()
        )
        metadata = cloudflare.get(
            cloudflare.account(*below, "metadata", key), seconds=max(deadline - time.monotonic(), 0.01)
        ).result
    length = content.headers.get("content-length", "")
    size = int(length) if length.isascii() and length.isdigit() else None if content.cut else len(content.data)
    told = Key(key, _seconds(content.headers), _metadata(metadata))
    return Stored(told, content.data, size)


def _key(listed: Mapping[str, Any]) -> Key:
    expiration = listed.get("expiration")
    return Key(
        listed["name"], expiration if isinstance(expiration, int | float) else None, _metadata(listed.get("metadata"))
    )


def _metadata(value: Any) -> Any:
    """Metadata, which without any comes as null or empty."""
    return None if value == {} or too_deep(value) else value


def _seconds(headers: Mapping[str, str]) -> float | None:
    told = headers.get("expiration", "")
    return float(told) if told.isascii() and told.isdigit() and len(told) < 15 else None


def _id(namespace: Namespace) -> str:
    if namespace.id is None:
        raise NotFound("The namespace has no id of the account.", advice="Add its `id` to the wrangler configuration.")
    return namespace.id


@contextmanager
def _in_words_of_kv() -> Iterator[None]:
    """Say of what belongs to KV what it means there."""
    try:
        yield
    except RejectedCredentials as error:
        raise _again(RejectedCredentials(error.message, advice=SCOPE), error) from None
    except NotFound as error:
        code = error.upstream.code if error.upstream is not None else None
        if code == MISSING_KEY:
            raise _again(missing_key(), error) from None
        if code == MISSING_NAMESPACE:
            missing = NotFound("The account has no namespace of that id.", advice="Check CLOUDFLARE_ACCOUNT_ID.")
            raise _again(missing, error) from None
        raise


def _again(failure: DaanError, error: DaanError) -> DaanError:
    failure.upstream = error.upstream
    return failure
