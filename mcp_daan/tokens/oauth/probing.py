"""AZ, TK, RG, RV, IN and CIMD-SSRF: probes of the configured portal's own endpoints, on request only.

Nothing real is sent: every token, code and password is made up. What a probe leaves behind are two registered
clients (RG-NATIVE, RG-SECEXP), whose ids are told, and what a server keeps of a login that nobody finishes.
"""

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urlsplit

from mcp_daan.tokens.oauth.authorizing import authorized
from mcp_daan.tokens.oauth.fetching import Fetching
from mcp_daan.tokens.oauth.judging import (
    Outcome,
    Unjudged,
    answered,
    blocked,
    holds,
    lacks,
    skipped,
    stopped,
    when,
)
from mcp_daan.tokens.oauth.rules import Barred
from mcp_daan.tokens.oauth.seen import Seen, shown
from mcp_daan.tokens.oauth.survey import Survey, endpoint
from mcp_daan.tokens.oauth.table import ACTIVE

FORM, JSON = "application/x-www-form-urlencoded", "application/json"
CLIENT_NAME = "mcp-daan oauth_check probe"
LOOPBACK = "http://127.0.0.1:33418/callback"
BAD_URIS = ("javascript:alert(1)", "https://client.example/callback#fragment", "http://client.example/callback")
REFUSING = ("invalid_redirect_uri", "invalid_client_metadata")


@dataclass(frozen=True)
class Client:
    """A client that the portal knows, and an address that it registered."""

    id: str
    redirect_uri: str | None


@dataclass
class Probes:
    """The outcomes so far, and the clients that were registered on the way."""

    outcomes: dict[str, Outcome] = field(default_factory=dict)
    registered: list[str] = field(default_factory=list)


async def probed(fetching: Fetching, survey: Survey, configured: Client | None) -> Probes:
    """Every probe's outcome; what does not apply or lies at another origin than the portal is skipped."""
    probes = Probes()
    if survey.issuer.document is None:
        why = stopped([document for issuer in survey.issuers for document in issuer.documents])
        outcome = blocked(why) if why else skipped("there is no metadata (AS-META)")
        return Probes(dict.fromkeys(ACTIVE, outcome))
    native = await _registrations(fetching, survey, probes)
    client = _usable(survey, configured) or native
    for name, probe in (("authorization_endpoint", authorized), ("token_endpoint", _token_endpoint)):
        try:
            at = _own(fetching, survey, name)
        except Unjudged as reason:
            prefix = ("AZ-", "CIMD-") if name == "authorization_endpoint" else ("TK-",)
            probes.outcomes |= {each: reason.outcome for each in ACTIVE if each.startswith(prefix)}
        else:
            probes.outcomes |= await probe(fetching, survey, at, client)
    await _unknown_tokens(fetching, survey, probes, client)
    return probes


def _own(fetching: Fetching, survey: Survey, name: str) -> str:
    """The endpoint called *name*, if it is the portal's own; else Unjudged."""
    at = endpoint(survey.issuer, name)
    if at is None:
        raise Unjudged(skipped(f"no {name}"))
    try:
        own = fetching.rules.own(fetching.rules.admit(at))
    except Barred as reason:
        raise Unjudged(skipped(f"{name} is not gone to: {reason}")) from None
    if not own:
        raise Unjudged(skipped(f"{name} is at another origin than the portal"))
    return at


def _usable(survey: Survey, configured: Client | None) -> Client | None:
    if configured is None:
        return None
    redirect = configured.redirect_uri
    if redirect is None and survey.client is not None:
        listed = (survey.client.value or {}).get("redirect_uris")
        redirect = next(filter(plain, listed), None) if isinstance(listed, list) else None
    return Client(configured.id, redirect) if plain(redirect) else None


def plain(redirect: object) -> bool:
    """Whether *redirect* is a text that the probes can vary."""
    try:
        return isinstance(redirect, str) and (urlsplit(redirect).port or 0) >= 0
    except ValueError:
        return False


# --- registration ---


async def _registrations(fetching: Fetching, survey: Survey, probes: Probes) -> Client | None:
    """The RG probes; gives the public client that could be registered."""
    try:
        at = _own(fetching, survey, "registration_endpoint")
    except Unjudged as reason:
        probes.outcomes |= {each: reason.outcome for each in ACTIVE if each.startswith("RG-")}
        return None
    probes.outcomes["RG-BADURI"] = await _bad_uris(fetching, at, probes)
    native = {"redirect_uris": [LOOPBACK], "token_endpoint_auth_method": "none", "application_type": "native"}
    seen, value = await _register(fetching, at, native, probes)
    made = "client_id" in value
    if seen.stopped:
        probes.outcomes |= dict.fromkeys(("RG-NATIVE", "RG-NOSEC"), blocked(seen.stopped))
    else:
        probes.outcomes["RG-NATIVE"] = when(made and seen.status == 201, _told(seen, value))
        probes.outcomes["RG-NOSEC"] = (
            when("client_secret" not in value, "no client_secret", "a client_secret was given")
            if made
            else skipped(f"no public client could be registered: {_told(seen, value)}")
        )
    probes.outcomes["RG-SECEXP"] = await _confidential(fetching, at, probes)
    return Client(str(value["client_id"]), LOOPBACK) if made else None


async def _bad_uris(fetching: Fetching, at: str, probes: Probes) -> Outcome:
    told = "refused"
    for uri in BAD_URIS:
        seen, value = await _register(
            fetching, at, {"redirect_uris": [uri], "token_endpoint_auth_method": "none"}, probes
        )
        if seen.stopped:
            return blocked(seen.stopped)
        if "client_id" in value:
            # One is enough to know; the next would leave another client behind.
            return lacks(f"registered with {uri}")
        if seen.status != 400 or value.get("error") not in REFUSING:
            told = f"refused with {_told(seen, value)}"
    return holds(told)


async def _confidential(fetching: Fetching, at: str, probes: Probes) -> Outcome:
    asked = {"redirect_uris": ["https://client.example/callback"], "token_endpoint_auth_method": "client_secret_post"}
    seen, value = await _register(fetching, at, asked, probes)
    if seen.stopped:
        return blocked(seen.stopped)
    if "client_secret" not in value:
        return skipped(f"no client_secret was given: {_told(seen, value)}")
    return when("client_secret_expires_at" in value, value.get("client_secret_expires_at"), "absent")


async def _register(
    fetching: Fetching, at: str, asked: Mapping[str, Any], probes: Probes
) -> tuple[Seen, Mapping[str, Any]]:
    body = {"client_name": CLIENT_NAME, "grant_types": ["authorization_code", "refresh_token"], **asked}
    seen = await fetching.post(at, json.dumps({"response_types": ["code"], **body}).encode(), JSON)
    value = answer(seen)
    if seen.status in (200, 201) and "client_id" in value:
        probes.registered.append(shown(value["client_id"]))
        return seen, value
    return seen, {name: each for name, each in value.items() if name != "client_id"}


# --- the token endpoint, revocation, introspection ---


async def _token_endpoint(fetching: Fetching, survey: Survey, at: str, client: Client | None) -> dict[str, Outcome]:
    known = {"client_id": client.id} if client else {"client_id": made_up()}
    forms = {
        "TK-BADRT": {"grant_type": "refresh_token", "refresh_token": made_up(), **known},
        "TK-CLIENT": {"grant_type": "refresh_token", "refresh_token": made_up(), "client_id": made_up()},
        "TK-ROPC": {"grant_type": "password", "username": made_up(), "password": made_up(), **known},
    }
    found = {name: await fetching.post(at, urlencode(form).encode(), FORM) for name, form in forms.items()}
    refused = ("invalid_grant",) if client else ("invalid_grant", "invalid_client")
    return {
        "TK-BADRT": _refused(found["TK-BADRT"], refused, (400,) if client else (400, 401)),
        "TK-CLIENT": _refused(found["TK-CLIENT"], ("invalid_client",), (400, 401)),
        "TK-ROPC": _not_granted(found["TK-ROPC"]),
        "TK-NOSTORE": _not_stored(list(found.values())),
    }


def _refused(seen: Seen, errors: tuple[str, ...], statuses: tuple[int, ...]) -> Outcome:
    if seen.stopped:
        return blocked(seen.stopped)
    value = answer(seen)
    return when(seen.status in statuses and value.get("error") in errors, _told(seen, value))


def _not_granted(seen: Seen) -> Outcome:
    return blocked(seen.stopped) if seen.stopped else when(seen.status != 200, _told(seen, answer(seen)))


def _not_stored(found: list[Seen]) -> Outcome:
    if why := next((each.stopped for each in found if each.stopped), ""):
        return blocked(why)
    without = [each for each in found if "no-store" not in each.header("cache-control").lower()]
    return when(
        not without, f"no-store in {len(found)} answers", f"{len(without)} of {len(found)} answers without no-store"
    )


async def _unknown_tokens(fetching: Fetching, survey: Survey, probes: Probes, client: Client | None) -> None:
    """RV-200 and IN-AUTH: a made-up token is revoked, and introspected without credentials."""
    for name, at_name in (("RV-200", "revocation_endpoint"), ("IN-AUTH", "introspection_endpoint")):
        form = {"token": made_up()}
        if name == "RV-200" and client is not None:
            form["client_id"] = client.id
        try:
            at = _own(fetching, survey, at_name)
            seen = answered(await fetching.post(at, urlencode(form).encode(), FORM), "")
        except Unjudged as reason:
            probes.outcomes[name] = reason.outcome
            continue
        told = _told(seen, answer(seen))
        if name == "IN-AUTH":
            probes.outcomes[name] = when(seen.status in (400, 401, 403) and "active" not in answer(seen), told)
        elif client is None and seen.status in (400, 401):
            probes.outcomes[name] = skipped(f"it wants a client that is known: {told}")
        else:
            probes.outcomes[name] = when(seen.status == 200, told)


def answer(seen: Seen) -> dict[str, Any]:
    """The JSON object of an answer, or an empty one."""
    try:
        value = json.loads(seen.body)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def made_up() -> str:
    """A value that nobody gave out."""
    return secrets.token_urlsafe(24)


def _told(seen: Seen, value: Mapping[str, Any]) -> str:
    """Status and error code; never the rest, which may hold a secret that was just given."""
    return f"{seen.status} {shown(value['error'], 60)}" if "error" in value else seen.told
