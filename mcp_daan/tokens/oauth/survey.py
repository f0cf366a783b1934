"""All that is asked of a portal from outside, with GET alone, and what came back."""

import asyncio
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from mcp_daan.tokens.oauth.fetching import Fetching
from mcp_daan.tokens.oauth.seen import Document, Seen, bearer

RESOURCE_METADATA = "/.well-known/oauth-protected-resource"
SERVER_METADATA = "/.well-known/oauth-authorization-server"
OPENID = "/.well-known/openid-configuration"
# Nobody's page: what a server allows to it, it allows to all.
FOREIGN = {"Origin": "https://origin.example"}
MOST_ISSUERS = 3


@dataclass(frozen=True)
class Issuer:
    """An authorization server as it was named, and its metadata at each location; `stated` by the resource, or guessed."""

    name: str
    stated: bool
    documents: tuple[Document, ...]

    @property
    def document(self) -> Document | None:
        """The first location's that served an object."""
        return next((each for each in self.documents if each.value is not None), None)

    @property
    def value(self) -> Mapping[str, Any]:
        """The metadata, empty without any."""
        return (self.document.value if self.document else None) or {}


@dataclass(frozen=True)
class Resource:
    """A protected resource: its answers to one request in four forms, and its metadata at each location."""

    url: str
    bare: Seen
    bad_token: Seen
    in_query: Seen
    from_afar: Seen
    insecure: Seen | None
    advertised: Document | None
    inserted: Document
    at_root: Document

    @property
    def challenge(self) -> dict[str, str] | None:
        """The Bearer challenge of the answer without a token."""
        return challenge(self.bare)

    @property
    def places(self) -> list[Document]:
        """Where the metadata may be, in the order in which clients look."""
        found = {each.url: each for each in (self.advertised, self.inserted, self.at_root) if each is not None}
        return list(found.values())

    @property
    def document(self) -> Document | None:
        """The metadata that a client would take."""
        return next((each for each in self.places if each.value is not None and "resource" in each.value), None)

    @property
    def value(self) -> Mapping[str, Any]:
        """The metadata, empty without any."""
        return (self.document.value if self.document else None) or {}


@dataclass(frozen=True)
class Survey:
    """What was seen; the checks judge from this alone."""

    now: datetime
    resource: Resource
    issuers: tuple[Issuer, ...]
    metadata_from_afar: Seen | None
    authorize_from_afar: Seen | None
    token_endpoint: Seen | None
    keys: Document | None
    client_id: str | None
    client: Document | None

    @property
    def issuer(self) -> Issuer:
        """The authorization server that the checks speak of."""
        return leading(self.issuers)


def leading(issuers: tuple[Issuer, ...]) -> Issuer:
    """The first issuer that serves metadata, else the first that was named."""
    return next((each for each in issuers if each.document is not None), issuers[0])


def challenge(seen: Seen) -> dict[str, str] | None:
    """The Bearer challenge of an answer, if it is one."""
    return bearer(seen.header("www-authenticate")) if seen.status == 401 else None


async def surveyed(fetching: Fetching, bare: Seen, now: datetime, client_id: str | None) -> Survey:
    """Ask the resource that answered *bare* in other ways, then what its documents lead to."""
    resource = await _resource(fetching, bare)
    named = _issuers(resource)
    issuers = tuple(await asyncio.gather(*(_issuer(fetching, name, stated) for name, stated in named)))
    issuer = leading(issuers)
    at = issuer.document.url if issuer.document else None
    from_afar, authorize, token, keys, client = await asyncio.gather(
        _seen(fetching, at, FOREIGN),
        _seen(fetching, endpoint(issuer, "authorization_endpoint"), FOREIGN),
        _seen(fetching, endpoint(issuer, "token_endpoint"), {}),
        _seen(fetching, endpoint(issuer, "jwks_uri"), {}),
        _seen(fetching, client_id if client_id and "://" in client_id else None, {}),
    )
    return Survey(
        now,
        resource,
        issuers,
        from_afar,
        authorize,
        token,
        Document(keys.url, keys) if keys else None,
        client_id,
        Document(client.url, client) if client else None,
    )


def endpoint(issuer: Issuer, name: str) -> str | None:
    """The URL that the metadata gives for *name*, if it is text."""
    value = issuer.value.get(name)
    return value if isinstance(value, str) and value else None


async def _resource(fetching: Fetching, bare: Seen) -> Resource:
    url = bare.url
    parts = urlsplit(url)
    token = secrets.token_urlsafe(24)
    bad_token, in_query, from_afar, insecure = await asyncio.gather(
        fetching.get(url, {"Authorization": f"Bearer {token}"}),
        fetching.get(f"{url}{'&' if parts.query else '?'}access_token={token}"),
        fetching.get(url, FOREIGN),
        # On another port than https's own nobody knows where plain http would be.
        _seen(
            fetching, f"http://{parts.hostname}{parts.path}" if parts.scheme == "https" and not parts.port else None, {}
        ),
    )
    root = f"{parts.scheme}://{parts.netloc}{RESOURCE_METADATA}"
    inserted = root + parts.path.removesuffix("/") + (f"?{parts.query}" if parts.query else "")
    advertised = (challenge(bare) or {}).get("resource_metadata")
    wanted = list(dict.fromkeys([*([advertised] if advertised else []), inserted, root]))
    found = dict(zip(wanted, await asyncio.gather(*(_document(fetching, each) for each in wanted)), strict=True))
    return Resource(
        url,
        bare,
        bad_token,
        in_query,
        from_afar,
        insecure,
        found[advertised] if advertised else None,
        found[inserted],
        found[root],
    )


def _issuers(resource: Resource) -> list[tuple[str, bool]]:
    """The issuers that the resource names, else where one may be: its own address, and its origin."""
    named = resource.value.get("authorization_servers")
    if isinstance(named, list):
        texts = [each for each in named if isinstance(each, str) and each]
        if texts:
            return [(each, True) for each in dict.fromkeys(texts)][:MOST_ISSUERS]
    parts = urlsplit(resource.url)
    origin = f"{parts.scheme}://{parts.netloc}"
    return [(each, False) for each in dict.fromkeys([origin + parts.path.rstrip("/"), origin])]


async def _issuer(fetching: Fetching, name: str, stated: bool) -> Issuer:
    try:
        locations = server_locations(name)
    except ValueError:  # not a URL at all
        locations = []
    documents = await asyncio.gather(*(_document(fetching, each) for each in locations))
    return Issuer(name, stated, tuple(documents))


def server_locations(issuer: str) -> list[str]:
    """Where an issuer's metadata may be, in the order in which clients look."""
    parts = urlsplit(issuer)
    origin, path = f"{parts.scheme}://{parts.netloc}", parts.path.removesuffix("/")
    inserted = [f"{origin}{SERVER_METADATA}{path}", f"{origin}{OPENID}{path}"]
    return [*inserted, f"{origin}{path}{OPENID}"] if path else inserted


async def _document(fetching: Fetching, url: str) -> Document:
    seen = await fetching.get(url, follow=True)
    return Document(url, replace(seen, url=url))


async def _seen(fetching: Fetching, url: str | None, headers: Mapping[str, str]) -> Seen | None:
    return await fetching.get(url, headers) if url else None
