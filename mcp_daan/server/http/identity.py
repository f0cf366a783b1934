"""Who a token speaks for."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mcp_daan.server.offer import SCOPES


class Rejected(Exception):
    """The token does not count; the reason is ours and says nothing of the token's content."""


@dataclass(frozen=True)
class Identity:
    """A name, the scopes that we know, and until when this may be remembered, by the clock of the system."""

    name: str
    scopes: frozenset[str]
    until: float | None = None


def identity(claims: Mapping[str, Any]) -> Identity:
    """The identity that verified *claims* (of a JWT, or of an introspection) speak of."""
    who = next((claims[key] for key in ("sub", "client_id", "azp") if isinstance(claims.get(key), str)), None)
    if not who:
        raise Rejected("the token names nobody")
    granted = claims.get("scope", claims.get("scp", ""))
    words = granted.split() if isinstance(granted, str) else granted if isinstance(granted, list) else []
    until = claims.get("exp")
    shown = "".join(each if each.isprintable() else "?" for each in who)[:128]
    return Identity(shown, frozenset(SCOPES).intersection(word for word in words if isinstance(word, str)), until)
