"""Which connections are well, which are about to die, and why."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Annotated, Any

import apsw
from pydantic import Field

from mcp_daan.app import App
from mcp_daan.d1.databases import Database, called, local_file
from mcp_daan.d1.masking.lineage import result_masks
from mcp_daan.d1.masking.secrets import secret_columns
from mcp_daan.d1.reading import reading
from mcp_daan.errors import DaanError, InvalidArguments, NotFound
from mcp_daan.paging import ENVELOPE_BYTES, page
from mcp_daan.protocol import Reply, json_bytes
from mcp_daan.scrub import secret_name
from mcp_daan.tokens.apikeys import TABLES, KeyCheck, count_keys, key_checks, key_table
from mcp_daan.tokens.columns import SHOWN, Columns, quoted, recognise
from mcp_daan.tokens.finding import Found
from mcp_daan.tokens.findings import findings, usable_keys
from mcp_daan.tokens.health import ApiKeys, Listing, TokensHealth, crypto, iso, loop_report
from mcp_daan.tokens.table import Table
from mcp_daan.tokens.verdicts import Judged, Verdict, judge
from mcp_daan.toolbox import Cursor, Limit, tool

Name = Annotated[
    str | None, Field(min_length=1, max_length=200, description="Default: the one that has the connections.")
]
CONNECTIONS = "connections"
CHUNK = 2000
# Our own statements have a known cost: this is for the largest table on the slowest machine.
SECONDS = 120.0
MOST_ADVICE = 6
# What `hidden` says of a generated column that is not stored.
VIRTUAL = 2
# The seven keys of an answer, its summary, a cursor and names.
WORDS_BYTES = 1536
# Findings that mean that the answer could not see what it should have; a key that opens nothing is an answer.
HOLES = {"key_absent", "key_wrong_length", "key_file_unreadable", "too_many_salts"}


@dataclass(frozen=True)
class Examined:
    """What one reading of a database gave."""

    judged: Judged
    found: list[Found]
    checks: list[KeyCheck]


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
    `counts` are of all connections of `provider`; `loop`, `crypto` and `findings` are of the whole table.
    """
    name, chosen = _database(app, database)
    examined = _examined(app, chosen)
    judged = examined.judged
    listing = Listing(judged, state=state, provider=provider)
    data = TokensHealth(
        as_of=iso(judged.now),
        counts=listing.counts,
        connections=[],
        loop=loop_report(judged),
        crypto=crypto(judged),
        api_keys=ApiKeys(checks=examined.checks),
        findings=[finding for finding, _ in examined.found],
    )
    advice = _advice(examined.found)
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
        summary=_summary(name, listing, judged),
        data=data,
        artifacts=[f"d1://{name}"],
        recommendations=advice,
        partial=part.cut or any(finding.code in HOLES for finding in data.findings),
    )


def _examined(app: App, database: Database) -> Examined:
    settings, now = app.settings.tokens, app.now.timestamp()
    with reading(local_file(database), seconds=SECONDS) as connection:
        columns = _columns(connection, _table(connection, app), app)
        columns = replace(columns, hidden=_hidden(connection, columns, database))
        try:
            table = _filled(app, connection, columns, as_bytes=False)
        except UnicodeDecodeError:
            # Somewhere stands text that is not UTF-8; read as bytes it harms one value only.
            table = _filled(app, connection, columns, as_bytes=True)
        checks = _key_checks(connection, now)
    usable, problems = usable_keys(app.keys, table)
    judged = judge(
        table,
        now=now,
        period=settings.period_seconds,
        declared="period_seconds" in settings.model_fields_set,
        keyed=bool(usable),
    )
    return Examined(judged, findings(judged, problems), checks)


def _filled(app: App, connection: apsw.Connection, columns: Columns, *, as_bytes: bool) -> Table:
    settings = app.settings.tokens
    table = Table(columns, app.keys, declared=settings.format, aad=settings.aad)
    total = _value(connection, f"SELECT count(*) FROM {quoted(columns.table)}")
    rows = connection.execute(columns.select(as_bytes=as_bytes))
    while chunk := list(islice(rows, CHUNK)):
        table.add(chunk)
        app.progress(len(table), total, "connections judged")
    table.finish()
    return table


# --- which database, table and columns ---


def _database(app: App, name: str | None) -> tuple[str, Database]:
    if name is not None:
        return name, app.database(name)
    names = dict(zip(called(app.databases), app.databases, strict=True))
    local = {name: database for name, database in names.items() if database.location == "local"}
    if not local:
        raise NotFound(
            "There is no local database in this workspace.",
            advice="Add a D1 binding to a wrangler configuration, or `[d1.databases.NAME]` to daan.toml.",
        )
    having: dict[str, bool] = {}
    failures: list[DaanError] = []
    for each, database in local.items():
        try:
            with reading(local_file(database), seconds=SECONDS) as connection:
                if _has(connection, _wanted(app)):
                    columns = _columns(connection, _wanted(app), app)
                    having[each] = not {"access_token", "refresh_token"} & set(columns.missing)
        except DaanError as error:
            failures.append(type(error)(f"{each}: {error.message}", advice=error.advice))
    if not having:
        raise _nowhere(app, list(local), failures)
    with_tokens = [each for each, tokens in having.items() if tokens] or list(having)
    if len(with_tokens) > 1:
        raise InvalidArguments(
            f"Several databases have a table `{_wanted(app)}`.",
            advice=f"Say which as `database`: {', '.join(with_tokens)}.",
        )
    return with_tokens[0], local[with_tokens[0]]


def _nowhere(app: App, names: list[str], failures: list[DaanError]) -> DaanError:
    # A file that could not be read may be the one; that there is none yet tells less.
    failures.sort(key=lambda error: isinstance(error, NotFound))
    if failures and (len(failures) == len(names) or not isinstance(failures[0], NotFound)):
        return failures[0]
    return NotFound(
        f"No database of this workspace has a table `{_wanted(app)}`.",
        advice=f"Looked in: {', '.join(names)}. Apply the migrations, or name the table as `[tokens] table` in daan.toml.",
    )


def _wanted(app: App) -> str:
    return app.settings.tokens.table or CONNECTIONS


def _has(connection: apsw.Connection, table: str) -> bool:
    return bool(_tables(connection, [table]))


def _tables(connection: apsw.Connection, names: Sequence[str]) -> list[str]:
    """The tables of these names as the schema spells them; what a view computes may cost anything."""
    found = connection.execute("SELECT name FROM pragma_table_list WHERE type = 'table' AND schema = 'main'")
    wanted = [name.lower() for name in names]
    return [str(name) for (name,) in found if str(name).lower() in wanted]


def _table(connection: apsw.Connection, app: App) -> str:
    found = _tables(connection, [_wanted(app)])
    if found:
        return found[0]
    shown = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%'")
    names = ", ".join(str(name) for (name,) in shown if not str(name).startswith(("_cf_", "d1_")))[:300]
    raise NotFound(
        f"The database has no table `{_wanted(app)}`.",
        advice=f"Name the table of connections as `[tokens] table` in daan.toml. Tables: {names or 'none'}.",
    )


def _columns(connection: apsw.Connection, table: str, app: App) -> Columns:
    # A column that is computed on reading may cost anything: the schema is the workspace's, not ours.
    sql = f"SELECT name, pk FROM pragma_table_xinfo(?) WHERE hidden <> {VIRTUAL}"
    rows = connection.execute(sql, (table,)).fetchall()
    present = [str(name) for name, _ in rows]
    keys = [str(name) for name, position in rows if position and not secret_name(str(name))]
    has_rowid = _value(
        connection,
        "SELECT count(*) FROM pragma_table_list(?) WHERE type = 'table' AND NOT wr AND schema = 'main'",
        table,
    )
    key = keys[0] if keys else "rowid" if has_rowid else present[0]
    return recognise(table, present, app.settings.tokens.columns, key)


def _hidden(connection: apsw.Connection, columns: Columns, database: Database) -> frozenset[str]:
    """Of the roles that are shown, those whose column draws on a secret, whatever it is called."""
    roles = [role for role in SHOWN if role in columns]
    secrets = secret_columns(connection, database.secret_columns)
    sql = f"SELECT {', '.join(quoted(columns.name(role)) for role in roles)} FROM {quoted(columns.table)}"
    masks = result_masks(connection, sql, secrets).columns if roles else ()
    return frozenset(role for role, masked in zip(roles, masks, strict=True) if masked)


# --- the table of API keys ---


def _key_checks(connection: apsw.Connection, now: float) -> list[KeyCheck]:
    names = _tables(connection, TABLES)
    if not names:
        return []
    sql = f"SELECT name FROM pragma_table_xinfo(?) WHERE hidden <> {VIRTUAL}"
    present = [str(name) for (name,) in connection.execute(sql, (names[0],))]
    # Only where `id` is the key is an owner found without reading all of them.
    keyed = "SELECT count(*) FROM pragma_table_xinfo(?) WHERE name = 'id' AND pk"
    owners = [name for name in _tables(connection, ["users", "user"]) if _value(connection, keyed, name)]
    table = key_table(names[0], present, _unique(connection, names[0]), owners[0] if owners else None)
    if not table.by_role:
        return []
    return key_checks(table, count_keys(table, connection.execute(table.select()), now))


def _unique(connection: apsw.Connection, table: str) -> Iterator[str]:
    """The columns that an index of their own makes unique."""
    indexes = connection.execute('SELECT name FROM pragma_index_list(?) WHERE "unique" AND NOT partial', (table,))
    for (index,) in indexes.fetchall():
        columns = connection.execute("SELECT name FROM pragma_index_info(?)", (index,)).fetchall()
        if len(columns) == 1 and columns[0][0] is not None:
            yield str(columns[0][0])


def _value(connection: apsw.Connection, sql: str, *parameters: str) -> Any:
    return connection.execute(sql, parameters).fetchall()[0][0]


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


def _advice(found: Sequence[Found]) -> list[str]:
    """What to do about the findings that matter, each once."""
    return list(dict.fromkeys(advice for finding, advice in found if finding.severity != "info"))[:MOST_ADVICE]
