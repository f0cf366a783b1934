"""Tools that look into D1."""

import difflib
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from mcp_daan.app import App
from mcp_daan.d1.databases import Database, called
from mcp_daan.d1.listing import Entry, bare_entry, entry
from mcp_daan.d1.remote.listing import remote_entries
from mcp_daan.d1.remote.shadow import shadow
from mcp_daan.d1.schema import Table, declared_tables, read_schema
from mcp_daan.errors import DaanError, NotFound
from mcp_daan.paging import ENVELOPE_BYTES, page
from mcp_daan.protocol import Model, Reply, json_bytes
from mcp_daan.toolbox import Cursor, Limit, tool
from mcp_daan.tools.query import NAMED, Name, few

Location = Annotated[Literal["local", "remote", "all"], Field(description="Which databases.")]
Detail = Annotated[
    Literal["names", "columns", "full"], Field(description="full adds each table's SQL and its number of rows.")
]
# Each remote database costs a few requests to look into.
LOOKED = 20


class Databases(Model):
    """The databases of a workspace."""

    databases: list[Entry]
    next_cursor: str | None


class Tables(Model):
    """The tables of one database."""

    tables: list[Table]
    next_cursor: str | None


@tool(title="List D1 databases", component="d1", reads_only=True)
def d1_databases(app: App, location: Location = "all", limit: Limit = 100, cursor: Cursor = None) -> Reply[Databases]:
    """List the D1 databases of this workspace with size, tables and pending migrations.

    Start here: the other D1 tools take these names. Local ones are the files that `wrangler dev` uses; remote ones are
    on Cloudflare, `remote:NAME` where a local one has the same name.
    """
    found, problems = _found(app, location)
    part = page(
        [each.entry for each in found], limit=limit, cursor=cursor, max_bytes=app.max_answer_bytes, mark=location
    )
    shown = [each for each in found if any(each.entry is entry for entry in part.items)]
    problems += app.workspace.unreadable
    return Reply(
        summary=f"{len(shown)} D1 {'database' if len(shown) == 1 else 'databases'}.",
        data=Databases(databases=part.items, next_cursor=part.next_cursor),
        artifacts=[f"d1://{listed.name}" for listed in part.items if listed.tables][:NAMED],
        recommendations=[_told(problem) for problem in problems][:NAMED]
        + _about(shown, tokened=app.variable("CLOUDFLARE_API_TOKEN") is not None),
        partial=bool(part.cut or problems or any(each.problem or not each.looked for each in shown)),
    )


@tool(title="Read a D1 schema", component="d1", reads_only=True)
def d1_schema(
    app: App,
    database: Name,
    table: Annotated[str | None, Field(min_length=1, description="Only this table or view.")] = None,
    detail: Detail = "columns",
    cursor: Cursor = None,
) -> Reply[Tables]:
    """Read the tables, views, columns, foreign keys and indexes of a D1 database.

    Use it before `d1_query`. Columns marked `secret` are always shown as ***.
    """
    chosen = app.database(database)
    full = detail == "full"
    counted = full and chosen.location == "local"
    tables = _tables(app, chosen, counted)
    if table is not None:
        tables = [_one(tables, table)]
    mark = hashlib.blake2b(repr([database, detail, [each.name for each in tables]]).encode(), digest_size=9)
    wide: list[str] = []
    part = page(
        [_fitting(_trimmed(each, detail), app.max_answer_bytes - ENVELOPE_BYTES, wide) for each in tables],
        limit=len(tables),
        cursor=cursor,
        max_bytes=app.max_answer_bytes,
        mark=mark.hexdigest(),
    )
    uncounted = [each.name for each in part.items if counted and each.kind == "table" and each.rows is None]
    advice = []
    if part.cut:
        advice.append("Pass `data.nextCursor` as `cursor` for the rest, name one `table`, or ask for `detail` names.")
    cut_short = [each.name for each in part.items if each.name in wide]
    if cut_short:
        advice.append(
            f"Too wide for one answer, without its SQL or its columns: {few(cut_short)}."
            " Ask `d1_query` for `SELECT name, type FROM pragma_table_info('NAME')`."
        )
    if full and not counted:
        advice.append("Rows are not counted on Cloudflare, where each row read is billed.")
    if uncounted:
        advice.append(f"There was no time to count the rows of: {few(uncounted)}.")
    return Reply(
        summary=f"{len(part.items)} {'table' if len(part.items) == 1 else 'tables'} of {database}.",
        data=Tables(tables=part.items, next_cursor=part.next_cursor),
        artifacts=[f"d1://{database}/schema"],
        recommendations=advice,
        partial=bool(part.cut or uncounted or cut_short),
    )


def _tables(app: App, database: Database, counted: bool) -> list[Table]:
    seconds = app.settings.limits.statement_seconds
    if database.location == "local":
        return read_schema(database, seconds=seconds, counts=counted)
    with shadow(app.schemas.read(app.remote(database)), seconds=seconds) as connection:
        return declared_tables(connection, database.secret_columns)


@dataclass(frozen=True)
class Found:
    """A database with its listing, what kept it from being read, and whether it was looked into at all."""

    database: Database
    entry: Entry
    problem: DaanError | None = None
    looked: bool = True


def _found(app: App, location: str) -> tuple[list[Found], list[DaanError]]:
    """The databases, local ones first, and what kept the account's own list from being read."""
    seconds = app.settings.limits.statement_seconds
    databases, reached, problems = _databases(app, location)
    named = list(zip(called(databases), databases, strict=True))
    found = [
        Found(each, *entry(name, each, app.workspace, seconds=seconds))
        for name, each in named
        if each.location == "local" and location != "remote"
    ]
    remote = [(name, each) for name, each in named if each.location == "remote"]
    if reached:
        looked = remote[:LOOKED]
        entries = remote_entries([(name, app.remote(each)) for name, each in looked], app.schemas, app.workspace)
        found += [Found(each, *listed) for (_, each), listed in zip(looked, entries, strict=True)]
        remote = remote[LOOKED:]
    if location != "local":
        found += [Found(each, bare_entry(name, each, app.workspace), looked=False) for name, each in remote]
    return found, problems


def _databases(app: App, location: str) -> tuple[list[Database], bool, list[DaanError]]:
    """The databases, whether the remote ones are within reach, and why they are not.

    Without a token only those that are named here: nobody could tell whether a binding's id is one of Cloudflare.
    """
    if location == "local":
        return app.databases, False, []
    try:
        if app.cloudflare is None:
            return app.databases, False, []
        return [*app.reachable, *app.further_databases()], True, []
    except DaanError as error:
        # Where the account's list cannot be read, nothing else of it can.
        return app.reachable, False, [error]


def _about(shown: Sequence[Found], *, tokened: bool) -> list[str]:
    """What to do about the databases of a listing."""
    if not shown:
        return ["Add a D1 binding to a wrangler configuration, or `[d1.databases.NAME]` to daan.toml."]
    about = [f"{each.entry.name}: {_told(each.problem)}" for each in shown if each.problem is not None][:NAMED]
    local = [each for each in shown if each.database.location == "local"]
    absent = [each.entry.name for each in local if not each.database.exists]
    behind = [each.entry.name for each in shown if each.entry.migrations_pending and each.entry.name not in absent]
    unlooked = [each.entry.name for each in shown if not each.looked]
    if absent:
        about.append(f"No file yet, run the Worker once or `wrangler d1 migrations apply NAME --local`: {few(absent)}.")
    if behind:
        about.append(f"Migrations wait to be applied: {few(behind)}.")
    if unlooked:
        why = "Not looked into" if tokened else "Set CLOUDFLARE_API_TOKEN to read"
        about.append(f"{why}: {few(unlooked)}.")
    return about


def _one(tables: Sequence[Table], name: str) -> Table:
    by_name = {table.name.lower(): table for table in tables}
    if found := by_name.get(name.lower()):
        return found
    names = [table.name for table in tables]
    close = difflib.get_close_matches(name, names, 3) or names[:NAMED]
    raise NotFound(
        "There is no table or view of that name.",
        advice=f"Tables that there are: {', '.join(close)}." if close else "The database has no tables yet.",
    )


def _trimmed(table: Table, detail: str) -> Table:
    if detail == "names":
        return Table(name=table.name, kind=table.kind)
    return table if detail == "full" else table.model_copy(update={"sql": None})


def _fitting(table: Table, most: int, wide: list[str]) -> Table:
    """*table*; where it is larger than *most* bytes, without its SQL or even its columns, and `wide` names it."""
    bare = Table(name=table.name, kind=table.kind, rows=table.rows)
    for shown in (table, table.model_copy(update={"sql": None}), bare):
        if json_bytes(shown.model_dump(by_alias=True)) < most:
            break
        wide.append(table.name)
    return shown


def _told(problem: DaanError) -> str:
    return f"{problem.message} {problem.advice}"
