"""The tool that reads rows of D1, and what the other tools of D1 say in the same way."""

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

from mcp_daan.app import App
from mcp_daan.d1.query import Answered, Parameter, Rows, query
from mcp_daan.protocol import Reply
from mcp_daan.toolbox import Cursor, Limit, tool

Name = Annotated[str, Field(min_length=1, max_length=200, description="A name that `d1_databases` lists.")]
Sql = Annotated[str, Field(min_length=1, pattern=r"\S", description="One statement that reads, in SQLite's dialect.")]
Parameters = Annotated[list[Parameter], Field(description="A value for each `?`, in order.")]
NAMED = 10


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
    JOIN and ORDER BY; on a remote database they are refused there. For more rows pass `data.nextCursor` with the same
    arguments. `meta.rowsRead` is what D1 bills, an estimate for a local file.
    """
    chosen = app.database(database)
    most, seconds = app.max_answer_bytes, app.settings.limits.statement_seconds
    if chosen.location == "remote":
        from mcp_daan.d1.remote.query import Judge  # what judges it is large, and most databases are local
        from mcp_daan.d1.remote.query import query as remote_query

        judge, remote = Judge(app.pool, app.schemas, seconds), app.remote(chosen)
        answered = remote_query(judge, remote, sql, parameters, limit=limit, cursor=cursor, max_bytes=most)
    else:
        answered = query(app.pool, chosen, sql, parameters, limit=limit, cursor=cursor, max_bytes=most, seconds=seconds)
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
            f"The statement filters, joins or sorts by secrets, which count as NULL there: {few(answered.elsewhere)}."
            " Its rows may therefore be others than you expect."
        )
    if answered.rows.truncated:
        why = "The answer is full. " if answered.cut else ""
        remarks.append(f"{why}Pass `data.nextCursor` as `cursor` for the next rows.")
    if answered.rows.masked:
        remarks.append("Columns in `masked` hold secrets; their values are shown to nobody.")
    return remarks


def few(names: Sequence[str]) -> str:
    """The first of *names*, and how many more there are."""
    return ", ".join(names[:NAMED]) + (f" and {len(names) - NAMED} more" if len(names) > NAMED else "")
