"""The grants of `@cloudflare/workers-oauth-provider`, told from the names of its KV keys alone; no name is shown."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from mcp_daan.protocol import Model
from mcp_daan.tokens.finding import Found, found
from mcp_daan.tokens.loop import DAY

# `client:{id}`, `grant:{user}:{id}` with metadata {clientId, resource}, `token:{user}:{grant}:{hash}`.
PREFIXES = ("client:", "grant:", "token:")
SOON_DAYS = 7
# A grant whose code was not exchanged lives this long, and has no tokens.
PENDING_SECONDS = 600
# An access token lives an hour: more than one every six minutes is no client that waits for its end.
STORM = 10
Entry = tuple[str, float | None, Any]


class Grants(Model):
    """The grants of an OAuth provider in KV."""

    live: int
    expiring: int
    pending: int
    orphaned: int
    clients: int


@dataclass(frozen=True)
class Grant:
    """One grant, by what its key tells."""

    mark: str
    expires: float | None
    client: str | None
    resource: str | None


@dataclass(frozen=True)
class Listed:
    """The keys of one or more namespaces, sorted out."""

    grants: list[Grant]
    # Each client with whether it registered itself: such a registration ends one day.
    clients: dict[str, bool]
    # How many access tokens each grant has.
    tokens: Counter[str]


def sorted_out(entries: Iterable[Entry], now: float) -> Listed:
    """The grants, clients and tokens among *entries* (name, expiration in seconds, metadata), without the ended."""
    listed = Listed([], {}, Counter())
    for name, expiration, metadata in entries:
        if expiration is not None and expiration <= now:
            continue
        kind, _, rest = name.partition(":")
        if kind == "client":
            listed.clients[rest] = expiration is not None
        elif kind == "grant" and ":" in rest:
            about = metadata if isinstance(metadata, dict) else {}
            listed.grants.append(
                Grant(rest, expiration, _text(about.get("clientId")), _resource(about.get("resource")))
            )
        elif kind == "token" and rest.count(":") >= 2:
            # A user's id may hold colons in older versions: the grant and the hash come last.
            listed.tokens[rest.rpartition(":")[0]] += 1
    return listed


def count_grants(listed: Listed, now: float) -> Grants:
    """The counts; `orphaned` are grants without their client and registrations without a grant."""
    pending = {grant.mark for grant in listed.grants if _is_pending(grant, listed, now)}
    live = [grant for grant in listed.grants if grant.mark not in pending]
    expiring = [each for each in live if each.expires is not None and each.expires - now < SOON_DAYS * DAY]
    return Grants(
        live=len(live),
        expiring=len(expiring),
        pending=len(pending),
        orphaned=len(_clientless(listed)) + len(_unused(listed)),
        clients=len(listed.clients),
    )


def grant_findings(listed: Listed, now: float, portal: str | None) -> Iterator[Found]:
    """What the keys show beside their number; *portal* is the address that resources should begin with."""
    gone, unused = _clientless(listed), _unused(listed)
    if gone:
        yield found(
            "grant_client_gone",
            "warning",
            f"Grants whose client is no longer registered: {len(gone)}. Each refresh of them ends in `invalid_client`.",
            "Revoke these grants, and let their users connect again.",
        )
    if unused:
        yield found(
            "client_unused",
            "info",
            f"Clients that registered themselves and have no grant: {len(unused)}.",
            "They end by themselves after 90 days; many of them mean that somebody registers without signing in.",
        )
    storms = sum(count > STORM for count in listed.tokens.values())
    if storms:
        yield found(
            "refresh_storm",
            "warning",
            f"Grants with more than {STORM} access tokens that still live: {storms}.",
            "Look for a client that refreshes in a loop, or that forgets the token it was given.",
        )
    expected = _origin(portal)
    elsewhere = sum(bool(each.resource) and _origin(each.resource) != expected for each in listed.grants)
    if expected and elsewhere:
        yield found(
            "grant_resource_differs",
            "warning",
            f"Grants for another resource than the portal of `[oauth] url`: {elsewhere}.",
            "After a change of address these clients get `invalid_target`: let them connect again.",
        )


def _is_pending(grant: Grant, listed: Listed, now: float) -> bool:
    ends_soon = grant.expires is not None and grant.expires - now <= PENDING_SECONDS
    return ends_soon and not listed.tokens[grant.mark]


def _clientless(listed: Listed) -> list[Grant]:
    # A client that is named by the address of its metadata is registered nowhere.
    return [
        grant
        for grant in listed.grants
        if grant.client is not None and grant.client not in listed.clients and "://" not in grant.client
    ]


def _unused(listed: Listed) -> list[str]:
    used = {grant.client for grant in listed.grants}
    return [client for client, registered_itself in listed.clients.items() if registered_itself and client not in used]


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _resource(value: object) -> str | None:
    return _text(value[0] if isinstance(value, list) and value else value)


def _origin(address: str | None) -> tuple[str, str] | None:
    try:
        parts = urlsplit(address or "")
    except ValueError:
        return None
    return (parts.scheme.lower(), parts.netloc.lower()) if parts.netloc else None
