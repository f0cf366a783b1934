"""Who asks: over HTTP the caller that was authenticated, over stdio whoever started the server."""

from dataclasses import dataclass
from typing import Any

from mcp.server.context import ServerRequestContext

from mcp_daan.server.offer import Offer

Context = ServerRequestContext[Any, Any]
# Where the HTTP side leaves the caller for the handlers.
KEY = "mcp_daan.caller"


@dataclass(frozen=True)
class Caller:
    """A name for the log, and the scopes; None stands for all of them."""

    name: str
    scopes: frozenset[str] | None = None

    def offer(self, offer: Offer) -> Offer:
        """What this caller may use of *offer*."""
        return offer if self.scopes is None else offer.within(self.scopes)


LOCAL = Caller("local")
# Who a request is taken for that the gate did not see: there is none, and should there be one, it may do nothing.
NOBODY = Caller("nobody", frozenset())


def caller_of(context: Context) -> Caller:
    """The caller of one request; without one of its own, whom the server was made for."""
    caller: Caller = context.lifespan_context if context.request is None else context.request.scope[KEY]
    return caller


def offered(offer: Offer, context: Context) -> Offer:
    """What the caller of one request may use of *offer*."""
    return caller_of(context).offer(offer)
