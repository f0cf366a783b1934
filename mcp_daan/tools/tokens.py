"""Which connections are well, which are about to die, and why."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from mcp_daan.app import App
from mcp_daan.d1.databases import Database, called
from mcp_daan.errors import DaanError, InvalidArguments, NotFound
from mcp_daan.paging import ENVELOPE_BYTES, page
from mcp_daan.protocol import Reply, json_bytes
from mcp_daan.tokens.apikeys import KeyCheck
from mcp_daan.tokens.finding import Found
from mcp_daan.tokens.findings import findings, in_order, usable_keys
from mcp_daan.tokens.grants import Grants
from mcp_daan.tokens.health import ApiKeys, Credentials, Listing, TokensHealth, crypto, iso, loop_report
from mcp_daan.tokens.verdicts import Judged, Verdict, judge
from mcp_daan.toolbox import Cursor, Limit, tool
from mcp_daan.tools.credentials import Held, held
from mcp_daan.tools.grants import grants
from mcp_daan.tools.portal import api_keys, columns_of, connections, environments, leftovers, opened, tables, wanted

Name = Annotated[
    str | None, Field(min_length=1, max_length=200, description="Default: the one that has the connections.")
]
MOST_ADVICE = 6
# The seven keys of an answer, its summary, a cursor and names.
WORDS_BYTES = 1536
# Findings that mean that the answer could not see what it should have; a key that opens nothing is an answer.
HOLES = {
    "key_absent", "key_wrong_length", "key_file_unreadable", "too_many_salts", "cloudflare_unreachable", "grants_unread",
    "grants_cut",
}  # fmt: skip


@dataclass(frozen=True)
class Examined:
    """What one reading of a database gave."""

    judged: Judged
    found: list[Found]
    checks: list[KeyCheck]
    grants: Grants | None
    cloudflare: Credentials | None


@tool(title="Check token health", component="oauth", reads_only=True)
def tokens_health(
    app: App,
    database: Name = None,
    state: Annotated[Verdict | None, Field(description="Only connections with this verdict.")] = None,
    provider: Annotated[str | None, Field(min_length=1, max_length=100, description="Only this provider.")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Reply[TokensHealth]:
    """Judge every OAuth connection, most urgent first: verdict, evidence and next step, and never a token.

    Reads the connections table and opens its sealed tokens in memory; it refreshes nothing and calls no provider.
    `counts` are of all connections of `provider`; `loop`, `crypto` and `findings` are of the whole table; `grants` (the
    portal's own OAuth provider in KV) and `cloudflare` (the credentials here) come with the first page.
    """
    name, chosen = _database(app, database)
    # What is beside the connections is asked once, not for each page of them.
    examined = _examined(app, chosen, beside=cursor is None)
    listing = Listing(examined.judged, state=state, provider=provider)
    data, advice = _without_connections(app, examined, listing)
    rest = json_bytes(data.model_dump(mode="json", by_alias=True)) + json_bytes(advice)
    part = page(
        listing,
        limit=limit,
        cursor=cursor,
        # The rest of `data` is measured; what `page` sets aside for it can go to the connections.
        max_bytes=app.max_answer_bytes - rest - WORDS_BYTES + ENVELOPE_BYTES,
        mark=hashlib.blake2b(repr([name, state, provider]).encode(), digest_size=9).hexdigest(),
    )
    data.connections, data.next_cursor = part.items, part.next_cursor
    if part.next_cursor is not None:
        advice.append("Pass `data.nextCursor` as `cursor` for the next connections.")
    return Reply(
        summary=_summary(name, listing, examined.judged),
        data=data,
        artifacts=[f"d1://{name}"],
        recommendations=advice,
        partial=part.cut
        or len(data.findings) < len(examined.found)
        or any(finding.code in HOLES for finding in data.findings),
    )


def _without_connections(app: App, examined: Examined, listing: Listing) -> tuple[TokensHealth, list[str]]:
    """All of the answer but the list, and the advice."""
    judged, advice = examined.judged, _advice(examined.found)
    kept = _fitting(examined.found, app.max_answer_bytes // 2)
    if len(kept) < len(examined.found):
        advice.append("Lesser findings were left out: raise `max_answer_bytes` under `[limits]` to see them.")
    data = TokensHealth(
        as_of=iso(judged.now),
        counts=listing.counts,
        connections=[],
        loop=loop_report(judged),
        crypto=crypto(judged),
        api_keys=ApiKeys(checks=examined.checks),
        findings=[finding for finding, _ in kept],
        grants=examined.grants,
        cloudflare=examined.cloudflare,
    )
    return data, advice


def _examined(app: App, database: Database, *, beside: bool) -> Examined:
    settings, now = app.settings.tokens, app.now.timestamp()
    with opened(app, database) as source:
        table = connections(source, app)
        checks = api_keys(source, now)
        left = leftovers(source, table.columns, now)
    left += environments(app, database, table)
    usable, problems = usable_keys(app.keys, table)
    judged = judge(
        table,
        now=now,
        period=settings.period_seconds,
        declared="period_seconds" in settings.model_fields_set,
        keyed=bool(usable),
    )
    given, said = grants(app, database.location) if beside else (None, [])
    credentials = held(app) if beside else Held(None, None, [])
    found = [*findings(judged, problems), *left, *said, *credentials.found]
    return Examined(judged, in_order(found), checks, given, credentials.report)


# --- which database ---


def _database(app: App, name: str | None) -> tuple[str, Database]:
    """The database called *name*, else the one local one that has the connections, else the one remote one."""
    if name is not None:
        return name, app.database(name)
    names = dict(zip(called(app.reachable), app.reachable, strict=True))
    here = {name: database for name, database in names.items() if database.location == "local"}
    token = app.variable("CLOUDFLARE_API_TOKEN")
    there = {name: database for name, database in names.items() if token and database.location == "remote"}
    if not here and not there:
        raise NotFound(
            "There is no local database in this workspace.",
            advice="Add a D1 binding to a wrangler configuration, or `[d1.databases.NAME]` to daan.toml.",
        )
    having, failures = _having(app, here)
    if not having and all(isinstance(error, NotFound) for error in failures):
        having, more = _having(app, there)
        failures += more
    if not having:
        raise _nowhere(app, [*here, *there], failures)
    with_tokens = [each for each, tokens in having.items() if tokens] or list(having)
    if len(with_tokens) > 1:
        raise InvalidArguments(
            f"Several databases have a table `{wanted(app)}`.",
            advice=f"Say which as `database`: {', '.join(with_tokens)}.",
        )
    return with_tokens[0], names[with_tokens[0]]


def _having(app: App, databases: dict[str, Database]) -> tuple[dict[str, bool], list[DaanError]]:
    """Those that have the table, with whether it has tokens, and what kept others from being read."""
    having: dict[str, bool] = {}
    failures: list[DaanError] = []
    for name, database in databases.items():
        try:
            with opened(app, database) as source:
                for table in tables(source, [wanted(app)]):
                    having[name] = not {"access_token", "refresh_token"} & set(columns_of(source, table, app).missing)
        except DaanError as error:
            failures.append(type(error)(f"{name}: {error.message}", advice=error.advice))
    return having, failures


def _nowhere(app: App, names: list[str], failures: list[DaanError]) -> DaanError:
    # A file that could not be read may be the one; that there is none yet tells less.
    failures.sort(key=lambda error: isinstance(error, NotFound))
    if failures and (len(failures) == len(names) or not isinstance(failures[0], NotFound)):
        return failures[0]
    return NotFound(
        f"No database of this workspace has a table `{wanted(app)}`.",
        advice=f"Looked in: {', '.join(names)}. Apply the migrations, or name the table as `[tokens] table` in daan.toml.",
    )


# --- words ---


def _summary(name: str, listing: Listing, judged: Judged) -> str:
    total = sum(listing.counts.values())
    parts = [f"{count} {verdict}" for verdict, count in listing.counts.items() if count]
    loop = {
        "running": "The refresh runs.",
        "on_demand": "Tokens are refreshed on demand.",
        "stuck": "The refresh is stuck.",
        "unknown": "Whether the refresh runs cannot be told.",
    }[judged.loop.state]
    noun = "connection" if total == 1 else "connections"
    return f"{total} {noun} in {name}{': ' + ', '.join(parts) if parts else ''}. {loop}"


def _fitting(found: Sequence[Found], room: int) -> list[Found]:
    """The gravest findings that *room* bytes hold."""
    kept = list(found)
    while kept and sum(json_bytes(finding.model_dump(by_alias=True)) + 1 for finding, _ in kept) > room:
        kept.pop()
    return kept


def _advice(found: Sequence[Found]) -> list[str]:
    """What to do about the findings that matter, each once."""
    return list(dict.fromkeys(advice for finding, advice in found if finding.severity != "info"))[:MOST_ADVICE]
