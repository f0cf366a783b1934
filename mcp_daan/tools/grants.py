"""The grants of the portal's own OAuth provider, from the listings of its KV namespace."""

from collections.abc import Iterator, Sequence
from typing import Literal

from mcp_daan.app import App
from mcp_daan.errors import DaanError
from mcp_daan.tokens.finding import Found, found
from mcp_daan.tokens.grants import PREFIXES, Entry, Grants, count_grants, grant_findings, sorted_out
from mcp_daan.workers.kv import local
from mcp_daan.workers.kv.keys import Key, Keys
from mcp_daan.workers.kv.namespaces import Namespace, find_namespaces, remote_of

# The name that the provider's documentation gives the binding.
BINDING = "OAUTH_KV"
# Remotely a thousand keys cost one request.
MOST_KEYS = {"local": 100_000, "remote": 10_000}


def grants(app: App, location: Literal["local", "remote"]) -> tuple[Grants | None, list[Found]]:
    """The grants of the namespaces at *location* and what their keys show; None where there is no such namespace."""
    try:
        named = _namespaces(app, location)
        listings = [keys for each in named for keys in _listings(app, each)]
    except DaanError as error:
        message = f"The keys of the OAuth provider could not be listed: {error.message}"
        return None, [found("grants_unread", "warning", message, error.advice)]
    if not named:
        return None, []
    now = app.now.timestamp()
    listed = sorted_out((_entry(key) for keys in listings for key in keys.keys), now)
    said = list(grant_findings(listed, now, app.settings.oauth.url))
    if any(keys.more for keys in listings):
        message = f"More than {MOST_KEYS[location]} keys of one kind are in KV: only the first were counted."
        said.append(found("grants_cut", "warning", message, "Take the counts of grants for the least there are."))
    return count_grants(listed, now), said


def _namespaces(app: App, location: Literal["local", "remote"]) -> Sequence[Namespace]:
    known = find_namespaces(app.workspace, app.settings.d1.persist)
    if location == "remote":
        there = remote_of(known, BINDING)
        return [] if there is None or app.cloudflare is None else [there]
    here = [each for each in known if each.exists]
    return [each for each in here if each.binding == BINDING] or [each for each in here if _holds_grants(app, each)]


def _holds_grants(app: App, namespace: Namespace) -> bool:
    """Whether the first grant's key is as the provider writes it; other programs may use the word too."""
    first = _listed(app, namespace, "grant:", 1).keys
    return bool(first) and isinstance(first[0].metadata, dict) and "clientId" in first[0].metadata


def _listings(app: App, namespace: Namespace) -> Iterator[Keys]:
    for prefix in PREFIXES:
        yield _listed(app, namespace, prefix, MOST_KEYS[namespace.location])


def _listed(app: App, namespace: Namespace, prefix: str, limit: int) -> Keys:
    limits = app.settings.limits
    if namespace.location == "local":
        now = app.now.timestamp()
        return local.list_keys(namespace, prefix, limit=limit, now=now, seconds=limits.statement_seconds)
    from mcp_daan.workers.kv import remote  # what it stands on is large, and most calls need no network

    assert app.cloudflare is not None
    return remote.list_keys(app.cloudflare, namespace, prefix, limit=limit, seconds=limits.request_seconds)


def _entry(key: Key) -> Entry:
    return key.name, key.expiration, key.metadata
