"""Look into Workers KV."""

import difflib
import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from urllib.parse import quote

from pydantic import Field

from mcp_daan.app import App
from mcp_daan.cloudflare import Cloudflare
from mcp_daan.errors import InvalidArguments, NotFound, Unavailable
from mcp_daan.paging import ENVELOPE_BYTES, decode_cursor, encode_cursor, page
from mcp_daan.protocol import Model, Reply
from mcp_daan.toolbox import Cursor, Limit, tool
from mcp_daan.workers.kv import local, remote
from mcp_daan.workers.kv.keys import Keys
from mcp_daan.workers.kv.local import Stored
from mcp_daan.workers.kv.masking import Masking, provider_key
from mcp_daan.workers.kv.namespaces import REMOTE, Namespace, choose, find_namespaces, remote_of
from mcp_daan.workers.kv.value import READ_BYTES, Kind, shown

NAMED = 10
# KV's own limit.
KEY_BYTES = 512
# A page counts its place from the start of the list, which Cloudflare gives a thousand keys at a time.
MOST_SKIPPED = 50_000
NO_TOKEN = "Set CLOUDFLARE_API_TOKEN (with `Workers KV Storage: Read`) and CLOUDFLARE_ACCOUNT_ID."


class KvKey(Model):
    """One key; `name` shows *** for what must not be known."""

    name: str
    expires_at: str | None
    metadata: Any


class KvRead(Model):
    """The keys of a namespace, or one value; JSON that is too large for one answer comes as text in parts."""

    namespace: str
    location: Literal["local", "remote"]
    id: str | None
    keys: list[KvKey] | None = None
    value: Any = None
    kind: Kind | None = None
    masked: bool = False
    bytes: int | None = None
    expires_at: str | None = None
    metadata: Any = None
    truncated: bool
    next_cursor: str | None


@tool(title="Read Workers KV", component="workers", reads_only=True)
def kv_read(
    app: App,
    namespace: Annotated[
        str, Field(min_length=1, max_length=512, description="Binding, title or id; `remote:NAME` is the account's.")
    ],
    key: Annotated[str | None, Field(min_length=1, description="Its value; else keys are listed.")] = None,
    prefix: Annotated[str | None, Field(min_length=1, description="Only keys that begin so.")] = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Reply[KvRead]:
    """Read one value of a KV namespace, or list its keys with expiry and metadata.

    Secrets, ids of sessions and an OAuth provider's keys are shown as ***.
    """
    if key is not None and prefix is not None:
        raise InvalidArguments("`key` and `prefix` are both given.", advice="Give `key` for a value, or `prefix`.")
    for name, text in (("key", key), ("prefix", prefix)):
        _check(name, text)
    chosen = _namespace(app, namespace)
    if key is not None:
        return _value(app, chosen, key, cursor)
    return _keys(app, chosen, prefix or "", limit, cursor)


def _keys(app: App, namespace: Namespace, prefix: str, limit: int, cursor: str | None) -> Reply[KvRead]:
    mark = _mark(namespace, "keys", prefix)
    skip = decode_cursor(cursor, mark)
    if skip > MOST_SKIPPED:
        raise InvalidArguments(f"A list ends after {MOST_SKIPPED} keys.", advice="Give a longer `prefix`.")
    listed = _listed(app, namespace, prefix, limit, skip)
    masking = Masking(tuple(app.settings.d1.secret_columns))
    labels = [namespace.name, namespace.binding or ""]
    part = page(
        [
            KvKey(
                name=masking.name(each.name, labels),
                expires_at=_iso(each.expiration),
                metadata=masking.json(each.metadata, provider=provider_key(each.name)),
            )
            for each in listed.keys
        ],
        limit=limit,
        cursor=None,
        max_bytes=app.max_answer_bytes,
    )
    more = listed.more or part.cut
    count = len(part.items)
    masked = any(key.name != each.name for key, each in zip(listed.keys, part.items, strict=False))
    advice = ["Pass `data.nextCursor` as `cursor` for the next keys."] * more
    advice += ["Names that open a door are shown as ***; give the whole name as `key` to read its value."] * masked
    return Reply(
        summary=f"{count} {'key' if count == 1 else 'keys'} of {namespace.called}.{' There are more.' if more else ''}",
        data=KvRead(
            namespace=namespace.name,
            location=namespace.location,
            id=namespace.id,
            keys=part.items,
            truncated=more,
            next_cursor=encode_cursor(skip + count, mark) if more else None,
        ),
        artifacts=[namespace.uri],
        recommendations=advice + _eventually(namespace),
        partial=part.cut,
    )


def _value(app: App, namespace: Namespace, key: str, cursor: str | None) -> Reply[KvRead]:
    stored = _stored(app, namespace, key)
    mark = _mark(namespace, "value", key)
    masking = Masking(tuple(app.settings.d1.secret_columns))
    seen = shown(stored, masking, start=decode_cursor(cursor, mark), room=app.max_answer_bytes - 2 * ENVELOPE_BYTES)
    name = masking.name(key, [namespace.name, namespace.binding or ""])
    advice = []
    if seen.rest is not None:
        advice.append("The value is larger than an answer: pass `data.nextCursor` as `cursor` for its next part.")
    if seen.value is None and seen.kind is None:
        advice.append(f"Values of more than {READ_BYTES >> 20} MiB are not shown: read it with `wrangler kv key get`.")
    if seen.masked:
        advice.append("What is a secret by its name or looks like one is shown as ***, to everybody.")
    return Reply(
        summary=f"{'A part of one' if seen.rest is not None or cursor else 'One'} value of {namespace.called}.",
        data=KvRead(
            namespace=namespace.name,
            location=namespace.location,
            id=namespace.id,
            value=seen.value,
            kind=seen.kind,
            masked=seen.masked,
            bytes=stored.size,
            expires_at=_iso(stored.key.expiration),
            metadata=masking.json(stored.key.metadata, provider=provider_key(key)),
            truncated=seen.rest is not None,
            next_cursor=None if seen.rest is None else encode_cursor(seen.rest, mark),
        ),
        artifacts=[f"{namespace.uri}/{quote(name, safe=':*')}"],
        recommendations=advice + _eventually(namespace),
        partial=seen.rest is not None or (seen.value is None and seen.kind is None),
    )


def _listed(app: App, namespace: Namespace, prefix: str, limit: int, skip: int) -> Keys:
    limits = app.settings.limits
    if namespace.location == "remote":
        seconds = limits.request_seconds
        return remote.list_keys(_cloudflare(app), namespace, prefix, limit=limit, skip=skip, seconds=seconds)
    now, seconds = app.now.timestamp(), limits.statement_seconds
    return local.list_keys(namespace, prefix, limit=limit, skip=skip, now=now, seconds=seconds)


def _stored(app: App, namespace: Namespace, key: str) -> Stored:
    limits = app.settings.limits
    if namespace.location == "remote":
        seconds = limits.request_seconds
        return remote.read_value(_cloudflare(app), namespace, key, max_bytes=READ_BYTES + 1, seconds=seconds)
    now, seconds = app.now.timestamp(), limits.statement_seconds
    return local.read_value(namespace, key, max_bytes=READ_BYTES + 1, now=now, seconds=seconds)


# --- which namespace ---


def _namespace(app: App, name: str) -> Namespace:
    here = find_namespaces(app.workspace, app.settings.d1.persist)
    if not name.startswith(REMOTE) and (found := choose(here, name)):
        return found
    bare = name.removeprefix(REMOTE)
    if app.cloudflare is None:
        if name.startswith(REMOTE):
            raise Unavailable("No token for Cloudflare's API is set.", advice=NO_TOKEN, retryable=False)
        raise _nowhere(here, bare, f"Namespaces of the account can be read too: {NO_TOKEN}")
    found = remote_of(here, bare)
    if found is None:
        there = remote.namespaces(app.cloudflare)
        found = choose(there, bare)
        if found is None:
            raise _nowhere([*here, *there], bare, "")
    return found


def _nowhere(namespaces: Sequence[Namespace], name: str, besides: str) -> NotFound:
    names = list(dict.fromkeys(each.name for each in namespaces))
    close = difflib.get_close_matches(name, names, 1)
    told = f"The namespaces are: {', '.join(names[:NAMED])}{' and more' if len(names) > NAMED else ''}."
    if not names:
        told = "Add a binding under `kv_namespaces` to a wrangler configuration."
    meant = f" Did you mean `{close[0]}`?" if close else ""
    return NotFound("There is no KV namespace of that name.", advice=f"{told}{meant} {besides}".strip())


def _cloudflare(app: App) -> Cloudflare:
    if app.cloudflare is None:
        raise Unavailable("No token for Cloudflare's API is set.", advice=NO_TOKEN, retryable=False)
    return app.cloudflare


# --- words ---


def _check(name: str, text: str | None) -> None:
    if text is None:
        return
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        size = KEY_BYTES + 1
    if size > KEY_BYTES or (name == "key" and text in (".", "..")):
        raise InvalidArguments(
            f"The argument `{name}` is no name that KV allows.",
            advice=f"Names are UTF-8 text of at most {KEY_BYTES} bytes, and neither `.` nor `..`.",
        )


def _mark(namespace: Namespace, what: str, text: str) -> str:
    return hashlib.blake2b(repr([namespace.uri, namespace.id, what, text]).encode(), digest_size=9).hexdigest()


def _eventually(namespace: Namespace) -> list[str]:
    return [remote.EVENTUAL] if namespace.location == "remote" else []


def _iso(seconds: float | None) -> str | None:
    if seconds is None:
        return None
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (ValueError, OverflowError, OSError):  # past the year 9999
        return None
