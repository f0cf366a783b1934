"""Tools that look into D1."""

import difflib
import hashlib
from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field

from mcp_daan.app import App
from mcp_daan.d1.databases import Database, called
from mcp_daan.d1.listing import Entry, entry
from mcp_daan.d1.query import Answered, Parameter, Rows, query
from mcp_daan.d1.schema import Table, read_schema
from mcp_daan.errors import DaanError, NotFound
from mcp_daan.paging import ENVELOPE_BYTES, page
from mcp_daan.protocol import Model, Reply, json_bytes
from mcp_daan.toolbox import Cursor, Limit, tool

Name = Annotated[str, Field(min_length=1, max_length=200, description="A name that `d1_databases` lists.")]
Sql = Annotated[str, Field(min_length=1, pattern=r"\S", description="One statement that reads, in SQLite's dialect.")]
Parameters = Annotated[list[Parameter], Field(description="A value for each `?`, in order.")]
Location = Annotated[Literal["local", "remote", "all"], Field(description="Which databases.")]
Detail = Annotated[
    Literal["names", "columns", "full"], Field(description="full adds each table's SQL and its number of rows.")
]
NAMED = 10


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

    Start here: the other D1 tools take these names. Local ones are the files that `wrangler dev` uses.
    """
    seconds = app.settings.limits.statement_seconds
    found = [
        (database, *entry(name, database, app.workspace, seconds=seconds))
        for name, database in zip(called(app.databases), app.databases, strict=True)
        if location in (database.location, "all")
    ]
    part = page(
        [listed for _, listed, _ in found], limit=limit, cursor=cursor, max_bytes=app.max_answer_bytes, mark=location
    )
    shown = [each for each in found if any(each[1] is listed for listed in part.items)]
    holes = app.workspace.unreadable or any(problem for *_, problem in shown)
    return Reply(
        summary=f"{len(shown)} D1 {'database' if len(shown) == 1 else 'databases'}.",
        data=Databases(databases=part.items, next_cursor=part.next_cursor),
        artifacts=[f"d1://{listed.name}" for listed in part.items if listed.tables][:NAMED],
        recommendations=[_told(problem) for problem in app.workspace.unreadable][:NAMED] + _about(shown),
        partial=bool(part.cut or holes or any(listed.location == "remote" for listed in part.items)),
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
    tables = read_schema(chosen, seconds=app.settings.limits.statement_seconds, counts=full)
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
    uncounted = [each.name for each in part.items if full and each.kind == "table" and each.rows is None]
    advice = []
    if part.cut:
        advice.append("Pass `data.nextCursor` as `cursor` for the rest, name one `table`, or ask for `detail` names.")
    cut_short = [each.name for each in part.items if each.name in wide]
    if cut_short:
        advice.append(
            f"Too wide for one answer, without its SQL or its columns: {_few(cut_short)}."
            " Ask `d1_query` for `SELECT name, type FROM pragma_table_info('NAME')`."
        )
    if uncounted:
        advice.append(f"There was no time to count the rows of: {_few(uncounted)}.")
    return Reply(
        summary=f"{len(part.items)} {'table' if len(part.items) == 1 else 'tables'} of {database}.",
        data=Tables(tables=part.items, next_cursor=part.next_cursor),
        artifacts=[f"d1://{database}/schema"],
        recommendations=advice,
        partial=bool(part.cut or uncounted or cut_short),
    )


@tool(title="Query D1", component="d1", reads_only=True)
def d1_query(
    app: App,
    database: Name,
    sql: Sql,
    parameters: Parameters = [],  # noqa: B006 - pydantic copies it
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Reply[Rows]:
    """Read rows from a D1 database with one SELECT; nothing can be changed through this tool.

    Read `d1_schema` first, and pass values in `parameters`. Secret columns come as *** and count as NULL in WHERE,
    JOIN and ORDER BY. For more rows pass `data.nextCursor` with the same arguments. `meta.rowsRead` estimates what D1
    would bill.
    """
    answered = query(
        app.pool,
        app.database(database),
        sql,
        parameters,
        limit=limit,
        cursor=cursor,
        max_bytes=app.max_answer_bytes,
        seconds=app.settings.limits.statement_seconds,
    )
    count = answered.rows.row_count
    more = " There are more." if answered.rows.truncated else ""
    return Reply(
        summary=f"{count} {'row' if count == 1 else 'rows'} from {database}.{more}",
        data=answered.rows,
        artifacts=[f"d1://{database}"],
        recommendations=_remarks(answered),
        partial=bool(answered.cut or answered.changed or answered.elsewhere),
    )


def _remarks(answered: Answered) -> list[str]:
    remarks = []
    if answered.changed:
        remarks.append(
            "The rows before this page are not those given before: the data changed, or the statement gives other rows"
            " each time. Start again without `cursor`."
        )
    if answered.elsewhere:
        remarks.append(
            f"The statement filters, joins or sorts by secrets, which count as NULL there: {_few(answered.elsewhere)}."
            " Its rows may therefore be others than you expect."
        )
    if answered.rows.truncated:
        why = "The answer is full. " if answered.cut else ""
        remarks.append(f"{why}Pass `data.nextCursor` as `cursor` for the next rows.")
    if answered.rows.masked:
        remarks.append("Columns in `masked` hold secrets; their values are shown to nobody.")
    return remarks


def _about(shown: Sequence[tuple[Database, Entry, DaanError | None]]) -> list[str]:
    """What to do about the databases of a listing."""
    if not shown:
        return ["Add a D1 binding to a wrangler configuration, or `[d1.databases.NAME]` to daan.toml."]
    about = [f"{listed.name}: {_told(problem)}" for _, listed, problem in shown if problem is not None][:NAMED]
    absent = [listed.name for database, listed, _ in shown if listed.location == "local" and not database.exists]
    behind = [listed.name for database, listed, _ in shown if database.exists and listed.migrations_pending]
    remote = [listed.name for _, listed, _ in shown if listed.location == "remote"]
    if absent:
        about.append(
            f"No file yet, run the Worker once or `wrangler d1 migrations apply NAME --local`: {_few(absent)}."
        )
    if behind:
        about.append(f"Migrations wait to be applied locally: {_few(behind)}.")
    if remote:
        about.append(f"Remote databases cannot be reached from here yet: {_few(remote)}.")
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


def _few(names: Sequence[str]) -> str:
    return ", ".join(names[:NAMED]) + (f" and {len(names) - NAMED} more" if len(names) > NAMED else "")
