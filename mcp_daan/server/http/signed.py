"""JSON Web Tokens of the issuer, judged by its published keys."""

import time
from typing import Any
from urllib.parse import urlsplit

import anyio
import jwt

from mcp_daan.errors import Unavailable
from mcp_daan.server.http.fetching import Fetching
from mcp_daan.server.http.identity import Identity, Rejected, identity

# Only with a key that the issuer alone holds: never `none`, nor a secret that we would share with it.
ALGORITHMS = frozenset("RS256 RS384 RS512 PS256 PS384 PS512 ES256 ES384 ES512 EdDSA".split())
KINDS = ("RSA", "EC", "OKP")
LEEWAY_SECONDS = 30
FRESH_SECONDS = 300.0
# How soon an unknown key is asked for again, and how long known keys serve while the issuer is silent.
AGAIN_SECONDS = 5.0
STALE_SECONDS = 3600.0
REASONS: dict[type[jwt.PyJWTError], str] = {
    jwt.ExpiredSignatureError: "the token has expired",
    jwt.InvalidAudienceError: "the token is not meant for this server",
    jwt.InvalidIssuerError: "the token is of another issuer",
    jwt.ImmatureSignatureError: "the token is not valid yet",
    jwt.PyJWTError: "the token is not valid",
}


class SigningKeys:
    """The issuer's keys, fetched when they are needed and again when a token names one that is new."""

    def __init__(self, issuer: str, url: str | None, fetching: Fetching) -> None:
        self._issuer, self._url, self._fetching = issuer, url, fetching
        self._keys: list[dict[str, Any]] = []
        self._at = self._tried = float("-inf")
        self._lock = anyio.Lock()

    async def fitting(self, kid: str | None, algorithm: str) -> jwt.PyJWK:
        """The key that *kid* names, or the only one where a token names none. Raises Rejected, Unavailable."""
        if time.monotonic() - self._at > FRESH_SECONDS:
            await self._fetch()
        found = self._named(kid)
        if not found:
            await self._fetch()
            found = self._named(kid)
        if len(found) != 1:
            raise Rejected("the token's key is not known")
        try:
            return jwt.PyJWK(found[0], algorithm=algorithm)
        except jwt.PyJWTError:
            raise Rejected("the token's algorithm does not fit its key") from None

    def _named(self, kid: str | None) -> list[dict[str, Any]]:
        usable = [key for key in self._keys if key.get("kty") in KINDS and key.get("use", "sig") == "sig"]
        return [key for key in usable if kid is None or key.get("kid") == kid]

    async def _fetch(self) -> None:
        async with self._lock:
            if time.monotonic() - self._tried < AGAIN_SECONDS:
                if not self._keys:
                    raise Unavailable("The issuer's keys are not known.", advice="Try again in a moment.")
                return
            self._tried = time.monotonic()
            try:
                url = self._url or await self._discovered()
                keys = (await self._fetching.get(url)).get("keys")
                if not isinstance(keys, list):
                    raise Unavailable("The issuer publishes no keys.", advice="Check `[http] jwks_url`.")
            except Unavailable:
                # While it is silent, a key that was good a moment ago still is.
                if time.monotonic() - self._at > STALE_SECONDS:
                    raise
                return
            self._keys = [key for key in keys if isinstance(key, dict)]
            self._at = time.monotonic()

    async def _discovered(self) -> str:
        """RFC 8414, then OpenID Connect; metadata of another issuer counts for nothing."""
        parts = urlsplit(self._issuer)
        origin, path = f"{parts.scheme}://{parts.netloc}", parts.path.rstrip("/")
        places = (
            f"{origin}/.well-known/oauth-authorization-server{path}",
            f"{origin}{path}/.well-known/openid-configuration",
        )
        for place in places:
            try:
                metadata = await self._fetching.get(place)
            except Unavailable:
                continue
            address = metadata.get("jwks_uri")
            if metadata.get("issuer") == self._issuer and isinstance(address, str):
                scheme, local = urlsplit(address).scheme, urlsplit(address).netloc == parts.netloc
                if scheme == "https" or (scheme == parts.scheme and local):
                    return address
        raise Unavailable("The issuer's metadata names no keys.", advice="Set `[http] jwks_url`.")


class SignedTokens:
    """Judges JSON Web Tokens."""

    def __init__(self, issuer: str, audience: str, keys: SigningKeys) -> None:
        self._issuer, self._audience, self._keys = issuer, audience, keys

    async def identity(self, token: str) -> Identity:
        """Whose *token* it is. Raises Rejected with the reason, Unavailable when it cannot be judged."""
        try:
            header = jwt.get_unverified_header(token)
            algorithm, kid = header.get("alg"), header.get("kid")
            # It is whatever the sender wrote: a list cannot even be looked up.
            if not isinstance(algorithm, str) or algorithm not in ALGORITHMS:
                raise Rejected("the token's algorithm is not allowed")
            key = await self._keys.fitting(kid if isinstance(kid, str) else None, algorithm)
            claims = jwt.decode(
                token,
                key,
                algorithms=[algorithm],
                audience=self._audience,
                issuer=self._issuer,
                leeway=LEEWAY_SECONDS,
                options={"require": ["exp", "iss", "aud"]},
            )
        except jwt.PyJWTError as error:
            raise Rejected(next(REASONS[kind] for kind in type(error).__mro__ if kind in REASONS)) from None
        return identity(claims)
