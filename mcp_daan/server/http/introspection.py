"""Opaque tokens, judged by asking the authorization server (RFC 7662)."""

import hashlib
import time
from typing import Any

from mcp_daan.server.http.fetching import Fetching
from mcp_daan.server.http.identity import Identity, Rejected, identity

# How long an answer serves: a token that is revoked is refused after this at the latest.
SECONDS = 15.0
MOST = 4096


class Introspection:
    """Asks about tokens, and remembers the answers for a moment, by the tokens' hashes."""

    def __init__(
        self, url: str, audience: str, issuer: str | None, client: tuple[str, str] | None, fetching: Fetching
    ) -> None:
        self._url, self._audience, self._issuer, self._client = url, audience, issuer, client
        self._fetching = fetching
        self._known: dict[bytes, tuple[float, Identity | str]] = {}

    async def identity(self, token: str) -> Identity:
        """Whose *token* it is. Raises Rejected with the reason, Unavailable when the server does not answer."""
        digest = hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()
        until, known = self._known.get(digest, (0.0, ""))
        if time.time() >= until:
            answer = await self._fetching.post(
                self._url, {"token": token, "token_type_hint": "access_token"}, self._client
            )
            try:
                known = self._judged(answer)
            except Rejected as rejected:
                known = str(rejected)
            until = min(time.time() + SECONDS, (isinstance(known, Identity) and known.until) or float("inf"))
            while len(self._known) >= MOST:
                self._known.pop(next(iter(self._known)))
            self._known[digest] = until, known
        if isinstance(known, str):
            raise Rejected(known)
        return known

    def _judged(self, answer: dict[str, Any]) -> Identity:
        if answer.get("active") is not True:
            raise Rejected("the token is not active")
        expires = answer.get("exp")
        if expires is not None and (not isinstance(expires, int | float) or expires <= time.time()):
            raise Rejected("the token has expired")
        meant = answer.get("aud")
        if self._audience not in (meant if isinstance(meant, list) else [meant]):
            raise Rejected("the token is not meant for this server")
        if self._issuer is not None and answer.get("iss", self._issuer) != self._issuer:
            raise Rejected("the token is of another issuer")
        return identity(answer)
