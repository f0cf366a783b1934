"""AZ and CIMD-SSRF: what the authorization endpoint does with requests that it must refuse."""

import base64
import hashlib
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from mcp_daan.tokens.oauth.addresses import is_loopback
from mcp_daan.tokens.oauth.fetching import Fetching
from mcp_daan.tokens.oauth.judging import Outcome, blocked, holds, lacks, skipped, when
from mcp_daan.tokens.oauth.rules import Barred
from mcp_daan.tokens.oauth.seen import Seen
from mcp_daan.tokens.oauth.survey import Survey
from mcp_daan.tokens.oauth.table import CHECKS

if TYPE_CHECKING:
    from mcp_daan.tokens.oauth.probing import Client

CODES = re.compile(
    rb"\b(invalid_request|unauthorized_client|unsupported_response_type|invalid_scope|invalid_target|invalid_client"
    rb"|invalid_redirect_uri|access_denied|server_error)\b"
)
NAMES = [each.id for each in CHECKS.values() if each.mode == "authorize"]
INNER = "https://127.0.0.1/oauth/client.json"
MOST_PAGES = 3


@dataclass(frozen=True)
class Said:
    """How one authorization request was answered."""

    seen: Seen
    redirect: str
    state: str

    @property
    def returned(self) -> dict[str, list[str]] | None:
        """The parameters that were sent back to the client, or None if it was not redirected to."""
        to, own = urlsplit(self.seen.target), urlsplit(self.redirect)
        if not self.seen.location or (to.scheme, to.netloc, to.path) != (own.scheme, own.netloc, own.path):
            return None
        found: dict[str, list[str]] = {}
        for name, value in parse_qsl(to.query) + parse_qsl(to.fragment):
            found.setdefault(name, []).append(value)
        return found

    @property
    def error(self) -> str:
        """The error code, from the redirect or the page; "refused" for a 4xx page without one; empty if it went on."""
        returned = self.returned
        if returned is not None:
            return returned.get("error", [""])[0]
        if self.seen.status is not None and 400 <= self.seen.status < 500:
            code = CODES.search(self.seen.body)
            return code[1].decode() if code else "refused"
        return ""

    @property
    def told(self) -> str:
        """What was seen, in a few words."""
        if self.returned is not None:
            return f"{self.seen.status} to the client, {f'error={self.error}' if self.error else 'without error'}"
        return f"{self.seen.status} page, {self.error}" if self.error else f"it went on: {self.seen.told}"


class Authorizing:
    """Requests to one authorization endpoint; errors that came back to the client are kept for AZ-ISS."""

    def __init__(self, fetching: Fetching, survey: Survey, at: str) -> None:
        self._fetching = fetching
        self._at = at
        self._resource = str(survey.resource.value.get("resource", "")) or None
        self.redirected: list[Said] = []

    async def ask(self, client: str, redirect: str, **changes: str | None) -> Said:
        """A request that is right but for *changes*; None leaves a parameter out."""
        state = secrets.token_urlsafe(12)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(secrets.token_bytes(32)).digest()).decode().rstrip("=")
        wanted: dict[str, str | None] = {
            "response_type": "code",
            "client_id": client,
            "redirect_uri": redirect,
            "state": state,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
            "resource": self._resource,
            **changes,
        }
        query = urlencode({name: value for name, value in wanted.items() if value is not None})
        seen = await self._fetching.get(f"{self._at}{'&' if '?' in self._at else '?'}{query}")
        said = Said(seen, redirect, state)
        if said.returned is not None and said.error:
            self.redirected.append(said)
        return said


async def authorized(fetching: Fetching, survey: Survey, at: str, client: "Client | None") -> dict[str, Outcome]:
    """The outcomes of the AZ probes and of CIMD-SSRF."""
    asking = Authorizing(fetching, survey, at)
    stranger = await asking.ask(secrets.token_urlsafe(16), "https://client.example/callback")
    found = {"AZ-CLIENT": _stays(stranger), "CIMD-SSRF": await _inner(asking, survey)}
    late = not stranger.error and not stranger.seen.stopped
    if client is None or client.redirect_uri is None:
        return {**_all(skipped("it needs a client: set `[oauth] client_id` and `redirect_uri`")), **found}
    if late:
        return {**_all(skipped("requests are looked at only after a login (AZ-CLIENT)")), **found}
    redirect = client.redirect_uri
    found["AZ-REDIR"] = await _unregistered(asking, client.id, redirect)
    found["AZ-NOPKCE"] = _refused(
        await asking.ask(client.id, redirect, code_challenge=None, code_challenge_method=None), "invalid_request"
    )
    found["AZ-PLAIN"] = await _unhashed(asking, client.id, redirect)
    found["AZ-TOKEN"] = _refused(
        await asking.ask(client.id, redirect, response_type="token"), "unsupported_response_type"
    )
    found["AZ-RES"] = _refused(
        await asking.ask(client.id, redirect, resource="https://other.example"), "invalid_target"
    )
    found["AZ-LOOP"] = await _other_port(asking, client.id, redirect)
    found["AZ-FRAME"] = await _framed(fetching, asking, client.id, redirect)
    found["AZ-ISS"] = _issuer_named(asking, survey)
    return found


def _all(outcome: Outcome) -> dict[str, Outcome]:
    return dict.fromkeys(NAMES, outcome)


def _stays(said: Said) -> Outcome:
    """Whether a 4xx page was shown, and nobody was redirected to."""
    if said.seen.stopped:
        return blocked(said.seen.stopped)
    if said.returned is not None:
        return lacks(f"{said.seen.status}: redirected to an address that nobody registered")
    if said.seen.location:
        return lacks(f"sent on before it was looked at: {said.seen.told}", "warning")
    return when(400 <= (said.seen.status or 0) < 500, said.seen.told)


def _refused(said: Said, code: str = "") -> Outcome:
    """Whether the request was refused, with *code* where one was told."""
    if said.seen.stopped:
        return blocked(said.seen.stopped)
    return when(bool(said.error) and (not code or said.error in (code, "refused")), said.told)


async def _unregistered(asking: Authorizing, client: str, redirect: str) -> Outcome:
    parts = urlsplit(redirect)
    variants = (
        f"{redirect}.client.example",
        urlunsplit(parts._replace(path="/elsewhere")),
        urlunsplit(parts._replace(netloc=f"{parts.netloc}@client.example")),
        urlunsplit(parts._replace(scheme="evil")),
    )
    for variant in variants:
        said = await asking.ask(client, variant)
        outcome = _stays(said)
        if outcome.status != "holds":
            told = f"{outcome.observed}, for {variant}"
            return blocked(told) if outcome.status == "blocked" else lacks(told)
    return holds(f"{len(variants)} addresses refused")


async def _unhashed(asking: Authorizing, client: str, redirect: str) -> Outcome:
    for method in ("plain", None):
        said = await asking.ask(
            client, redirect, code_challenge=secrets.token_urlsafe(36), code_challenge_method=method
        )
        outcome = _refused(said)
        if outcome.status != "holds":
            return replace(outcome, observed=f"method {method or 'left out'}: {outcome.observed}")
    return outcome


async def _other_port(asking: Authorizing, client: str, redirect: str) -> Outcome:
    parts = urlsplit(redirect)
    if parts.scheme != "http" or not is_loopback(parts.hostname or ""):
        return skipped("the client has no loopback redirect")
    said = await asking.ask(client, urlunsplit(parts._replace(netloc=f"{parts.hostname}:{(parts.port or 80) + 1}")))
    if said.seen.stopped:
        return blocked(said.seen.stopped)
    return when(not said.error and (said.seen.status or 500) < 400, said.told)


async def _framed(fetching: Fetching, asking: Authorizing, client: str, redirect: str) -> Outcome:
    said = await asking.ask(client, redirect)
    seen, pages = said.seen, 0
    while seen.location and said.returned is None and pages < MOST_PAGES:
        to = seen.target
        if not _own(fetching, to):
            # It may be the provider's login, which is nobody's to knock at.
            return skipped("the login is at another origin than the portal")
        seen, pages = await fetching.get(to), pages + 1
    if seen.stopped:
        return blocked(seen.stopped)
    if seen.status != 200:
        return skipped(f"no page was shown: {said.told if seen is said.seen else seen.told}")
    policy, option = seen.header("content-security-policy"), seen.header("x-frame-options")
    return when("frame-ancestors" in policy or bool(option), "it may not be framed", "neither header is sent")


def _own(fetching: Fetching, url: str) -> bool:
    try:
        return fetching.rules.own(fetching.rules.admit(url))
    except Barred:
        return False


def _issuer_named(asking: Authorizing, survey: Survey) -> Outcome:
    if not asking.redirected:
        return skipped("no error was sent back to the client")
    issuer = survey.issuer.value.get("issuer")
    for said in asking.redirected:
        returned: Mapping[str, list[str]] = said.returned or {}
        if returned.get("iss") != [issuer]:
            return lacks(f"iss: {', '.join(returned.get('iss', [])) or 'absent'}")
        if returned.get("state") != [said.state]:
            return lacks("state was not repeated")
    return holds(f"iss={issuer} in {len(asking.redirected)} redirects")


async def _inner(asking: Authorizing, survey: Survey) -> Outcome:
    if survey.issuer.value.get("client_id_metadata_document_supported") is not True:
        return skipped("client ID metadata documents are not supported (AS-CIMD)")
    return _stays(await asking.ask(INNER, "https://127.0.0.1/callback"))
