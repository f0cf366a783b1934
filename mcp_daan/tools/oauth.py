"""Does an OAuth portal keep what MCP and the RFCs ask of it?"""

import hashlib
from typing import Annotated

from pydantic import Field

from mcp_daan.app import App
from mcp_daan.errors import InvalidArguments, NotFound, Refused
from mcp_daan.paging import page
from mcp_daan.protocol import Reply
from mcp_daan.tokens.oauth.examine import examined
from mcp_daan.tokens.oauth.judging import Status
from mcp_daan.tokens.oauth.probing import Client
from mcp_daan.tokens.oauth.report import Checked, OAuthCheck, counts, report
from mcp_daan.tokens.oauth.rules import URL_CHARACTERS, Barred, Origin, Rules, origin_of
from mcp_daan.tokens.oauth.table import CHECKS
from mcp_daan.toolbox import Cursor, tool

MOST_ADVICE = 6
MOST_NAMED = 8
WORDS: dict[Status, str] = {
    "fail": "fail",
    "warn": "could be better",
    "blocked": "could not be looked at",
    "skipped": "do not apply",
}
PORTAL = "Set `[oauth] url` in daan.toml to the address that MCP clients call, such as https://portal.example/mcp."


@tool(title="Check an OAuth portal", component="oauth", reads_only=True)
def oauth_check(
    app: App,
    url: Annotated[
        str | None,
        Field(
            min_length=1,
            max_length=URL_CHARACTERS,
            description="The protected resource; default: the configured portal.",
        ),
    ] = None,
    active: Annotated[bool, Field(description="Also probe it, which registers two test clients there.")] = False,
    cursor: Cursor = None,
) -> Reply[OAuthCheck]:
    """Check a portal's OAuth from outside against MCP authorization and the RFCs, the gravest findings first.

    52 checks with GET alone and no credential; `active` adds 20 probes of the configured portal.
    """
    portal = _portal(app)
    address = url or app.settings.oauth.url
    if address is None:
        raise NotFound("No portal is configured, and no `url` was given.", advice=PORTAL)
    if _origin(address, "url") != portal and active:
        raise Refused("Probes are sent to the configured portal only.", advice=f"Leave `active` out. {PORTAL}")
    seen = examined(
        address,
        Rules(portal),
        now=app.now,
        seconds=app.settings.limits.request_seconds,
        active=active,
        client=_client(app),
    )
    checks = report(seen.outcomes)
    mark = hashlib.blake2b(repr([address, active]).encode(), digest_size=9).hexdigest()
    part = page(checks, limit=len(checks), cursor=cursor, max_bytes=app.max_answer_bytes, mark=mark)
    return Reply(
        summary=_summary(checks),
        data=OAuthCheck(
            url=address,
            checks=part.items,
            counts=counts(checks),
            registered=list(seen.registered),
            next_cursor=part.next_cursor,
        ),
        artifacts=[address] if address.startswith("https://") else [],
        recommendations=_advice(checks, bool(seen.registered), part.cut),
        partial=part.cut or any(each.status == "blocked" for each in checks),
    )


def _portal(app: App) -> Origin | None:
    url = app.settings.oauth.url
    return _origin(url, "[oauth] url") if url else None


def _origin(url: str, name: str) -> Origin:
    try:
        if "#" in url:
            raise Barred("it has a fragment")
        return origin_of(url)
    except Barred as reason:
        raise InvalidArguments(f"`{name}` cannot be used: {reason}.", advice=PORTAL) from None


def _client(app: App) -> Client | None:
    settings = app.settings.oauth
    return Client(settings.client_id, settings.redirect_uri) if settings.client_id else None


def _summary(checks: list[Checked]) -> str:
    found = counts(checks)
    parts = [f"{found['pass']} of {len(checks)} checks hold"]
    parts += [f"{found[status]} {word}" for status, word in WORDS.items() if found[status]]
    failed = [each.id for each in checks if each.status == "fail"]
    wrong = f" Wrong: {', '.join(failed[:MOST_NAMED])}{', …' * (len(failed) > MOST_NAMED)}." if failed else ""
    return f"{', '.join(parts)}.{wrong}"


def _advice(checks: list[Checked], registered: bool, cut: bool) -> list[str]:
    advice = ["Pass `data.nextCursor` as `cursor` for the rest; the portal is asked anew."] * cut
    if registered:
        advice.append("Remove the clients in `data.registered` at the portal: probes registered them.")
    failed = {each.id for each in checks if each.status == "fail"}
    if {"RS-401", "RS-DISC"} <= failed:
        advice.append("If this is an authorization server's own address, pass the address of the resource it protects.")
    advice += [f"{each.id}: {CHECKS[each.id].mend}" for each in checks if each.status in ("fail", "warn")]
    if any(each.status == "blocked" for each in checks):
        advice.append("Run it again from where nothing stands before the portal, for what could not be looked at.")
    return advice[:MOST_ADVICE]
