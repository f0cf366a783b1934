"""Who calls: a bearer token in the Authorization header, of the kinds that are configured."""

from collections.abc import Mapping
from pathlib import Path

from mcp_daan.config import Http
from mcp_daan.errors import InvalidArguments
from mcp_daan.server.callers import Caller
from mcp_daan.server.http.fetching import Fetching, checked
from mcp_daan.server.http.identity import Rejected
from mcp_daan.server.http.introspection import Introspection
from mcp_daan.server.http.signed import SignedTokens, SigningKeys
from mcp_daan.server.http.tokens import PREFIX, token_file

SECRET = "DAAN_HTTP_CLIENT_SECRET"
LONGEST = 16_384
NO_TOKEN = "there is no token"


class Authentication:
    """Tells callers by their tokens."""

    def __init__(self, settings: Http, root: Path, resource: str, environment: Mapping[str, str]) -> None:
        self.kind = settings.auth or "none"
        self.file = token_file(settings, root)
        self.issuer = settings.issuer if self.kind in ("oauth", "both") else None
        self._fetching: Fetching | None = None
        self._signed: SignedTokens | None = None
        self._introspection: Introspection | None = None
        if self.kind in ("oauth", "both"):
            self._open(settings, settings.audience or resource, environment)

    async def caller(self, header: str | None) -> Caller:
        """The caller of a request with this Authorization *header*. Raises Rejected, or why it cannot be told."""
        if not header:
            raise Rejected(NO_TOKEN)
        scheme, _, token = header.partition(" ")
        token = token.strip()
        if scheme.lower() != "bearer" or not token or len(token) > LONGEST:
            raise Rejected("the Authorization header holds no bearer token")
        if token.startswith(PREFIX) and self.kind in ("tokens", "both"):
            grant = self.file.find(token)
            if grant is None:
                raise Rejected("the token is not known")
            return Caller(f"token {grant.name}", frozenset(grant.scopes))
        judge = self._signed if self._introspection is None or token.count(".") == 2 else self._introspection
        judge = judge or self._introspection
        if judge is None:
            raise Rejected("the token is not known")
        found = await judge.identity(token)
        return Caller(f"oauth {found.name}", found.scopes)

    def check(self) -> None:
        """Raises DaanError when the tokens cannot be read."""
        if self.kind in ("tokens", "both"):
            self.file.grants()

    async def close(self) -> None:
        """End the connections."""
        if self._fetching is not None:
            await self._fetching.close()

    def _open(self, settings: Http, audience: str, environment: Mapping[str, str]) -> None:
        if settings.issuer is None:
            raise InvalidArguments(
                "`[http] auth` asks for OAuth, and there is no `[http] issuer`.",
                advice="Set `issuer` to the authorization server's identifier.",
            )
        issuer, fetching = checked("issuer", settings.issuer), Fetching()
        self._fetching = fetching
        if settings.jwks_url or not settings.introspection_url:
            url = checked("jwks_url", settings.jwks_url) if settings.jwks_url else None
            self._signed = SignedTokens(issuer, audience, SigningKeys(issuer, url, fetching))
        if settings.introspection_url:
            secret = environment.get(SECRET)
            if (settings.client_id is None) != (secret is None):
                raise InvalidArguments(
                    f"Of `[http] client_id` and {SECRET} one is set and one is not.", advice="Set both, or neither."
                )
            client = (settings.client_id, secret) if settings.client_id and secret else None
            url = checked("introspection_url", settings.introspection_url)
            self._introspection = Introspection(url, audience, issuer, client, fetching)
