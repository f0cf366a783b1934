"""One run: the survey, and if it was asked for the probes, within one deadline."""

import asyncio
from collections.abc import Coroutine, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from mcp_daan.addresses import resolved
from mcp_daan.errors import Refused, Unavailable
from mcp_daan.stopping import stoppable
from mcp_daan.tokens.oauth.fetching import Fetching, Resolve
from mcp_daan.tokens.oauth.judging import Outcome
from mcp_daan.tokens.oauth.probing import Client, probed
from mcp_daan.tokens.oauth.report import judged
from mcp_daan.tokens.oauth.rules import Rules
from mcp_daan.tokens.oauth.seen import Seen
from mcp_daan.tokens.oauth.survey import Survey, surveyed

UNREACHED = {
    "name": "The host of the address has no network address.",
    "connect": "No connection to the address could be made.",
}

AGAIN = "Check the address, and that the portal runs; then call `oauth_check` again."


@dataclass(frozen=True)
class Examined:
    """The outcome of each check by its id, and the clients that probes registered."""

    outcomes: Mapping[str, Outcome]
    registered: tuple[str, ...] = ()


def examined(
    url: str,
    rules: Rules,
    *,
    now: datetime,
    seconds: float,
    active: bool = False,
    client: Client | None = None,
    resolve: Resolve = resolved,
) -> Examined:
    """Check the protected resource at *url*; with *active* send probes to the portal's own endpoints too.

    Raises Refused for an address that may not be gone to, Unavailable for one that cannot be reached.
    """
    fetching = Fetching(rules, seconds=seconds, active=active, resolve=resolve)
    try:
        return asyncio.run(_ending(_examined(fetching, url, now, active, client)))
    except asyncio.CancelledError:
        raise Unavailable("The call was cancelled.", advice="Call again.") from None


async def _ending(work: Coroutine[Any, Any, Examined]) -> Examined:
    """*work*, which ends with the call that it is done for."""
    loop, task = asyncio.get_running_loop(), asyncio.ensure_future(work)

    def end() -> None:
        with suppress(RuntimeError):  # the loop has ended by itself
            loop.call_soon_threadsafe(task.cancel)

    with stoppable(end):
        return await task


async def _examined(fetching: Fetching, url: str, now: datetime, active: bool, client: Client | None) -> Examined:
    async with fetching:
        bare = await fetching.get(url)
        _reached(bare)
        survey = await surveyed(fetching, bare, now, client.id if client else None)
        _heard(survey)
        outcomes = judged(survey)
        if not active:
            return Examined(outcomes)
        probes = await probed(fetching, survey, client)
        return Examined({**outcomes, **probes.outcomes}, tuple(probes.registered))


def _reached(bare: Seen) -> None:
    if bare.problem == "barred":
        raise Refused(
            f"The address is not gone to: {bare.reason}.",
            advice="Only the portal of the configuration may be in a private network or on another port:"
            " set `[oauth] url` in daan.toml.",
        )
    if bare.problem in UNREACHED:
        raise Unavailable(
            UNREACHED[bare.problem],
            advice=AGAIN,
        )


def _heard(survey: Survey) -> None:
    """Unavailable if nothing answered at all; a certificate that is not valid is an answer too."""
    resource = survey.resource
    documents = [*resource.places, *(document for issuer in survey.issuers for document in issuer.documents)]
    if resource.bare.problem != "tls" and all(
        each.status is None for each in (resource.bare, *(d.seen for d in documents))
    ):
        raise Unavailable(f"The portal gives no answer: {resource.bare.reason}.", advice=AGAIN)
