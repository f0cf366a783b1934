"""What a stored error means for a connection: Exact Online's own dictionary first, the RFC's codes after it."""

import re
from functools import lru_cache
from typing import Literal

Fault = Literal["dead", "broken", "serialise", "revoked", "too_early", "client", "transient", "forbidden", "unclear"]

# In this order: the first that is found in the text decides. Exact says "Rate limit exceeded: access_token not
# expired" to a loop that is too eager, and never `invalid_grant` to a dead refresh token.
EXACT: tuple[tuple[str, Fault], ...] = (
    (r"old refresh token used", "broken"),
    (r"refresh token expired", "dead"),
    (r"access_token not expired|tooearlytorefreshtokens|too early", "too_early"),
    (r"chain_?id", "serialise"),
    (r"invalid_client", "client"),
)
TRANSIENT = (
    r"\b429\b|(?<![\d.])5\d\d(?![\d.])|time[d_ -]*out|timeout|temporar|rate.?limit|too many requests|unavailable"
    r"|bad gateway|internal server error|server_error|econn|enotfound|network|fetch failed|connection (?:reset|lost|closed)"
    r"|socket|\bdns\b"
)
REVOKED = r"invalid_grant|revoked|token has been expired"


@lru_cache(maxsize=4096)
def fault(text: str, exact: bool) -> Fault:
    """The meaning of the error *text* (code, HTTP status and description in one); *exact*: Exact Online sent it."""
    text = text.lower()
    for pattern, meaning in EXACT:
        if re.search(pattern, text):
            return meaning
    if re.search(REVOKED, text):
        return "revoked"
    if re.search(TRANSIENT, text):
        return "transient"
    # Without their descriptions: what Exact is known to mean by them, and what the RFC does.
    if "unauthorized_client" in text:
        return "revoked" if exact else "client"
    if "access_denied" in text:
        return "too_early" if exact else "revoked"
    return "forbidden" if re.search(r"\b403\b|forbidden", text) else "unclear"


# What an application writes into `status` when the grant is gone, and when it no longer uses the connection.
DEAD_STATUS = frozenset(
    "revoked needs_reauth needs_reauthorization reauth_required reauthorization_required requires_reauth reauth"
    " reconnect reconnect_required needs_reconnect invalid_grant auth_required relink_needed".split()
)
IDLE_STATUS = frozenset(
    "disconnected deleted removed disabled inactive archived paused suspended cancelled canceled replaced"
    " superseded closed".split()
)
FINE_STATUS = frozenset("active ok connected healthy live valid enabled authorized".split())
