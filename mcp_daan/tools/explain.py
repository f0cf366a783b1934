"""The tool that explains a statement on D1."""

from typing import Annotated

from pydantic import Field

from mcp_daan.app import App
from mcp_daan.d1.explaining.explain import Explained, Told, explain
from mcp_daan.d1.explaining.scratch import COPY_BYTES
from mcp_daan.d1.remote.explain import explain_remotely
from mcp_daan.d1.remote.query import Judge
from mcp_daan.protocol import Reply
from mcp_daan.toolbox import tool
from mcp_daan.tools.query import Name, Parameters, Sql

HOLES = {
    "uncounted": "The statement could not be run to its end in the time and memory there is, so its rows are not"
    " counted. Narrow it, or raise `statement_seconds` under `[limits]` in daan.toml.",
    "untold": "The rows are not counted and no index is advised: the statement uses a secret where a count could tell"
    " of it.",
    "reworded": "The rows are counted in other words of the statement, since the order in which its own come could tell"
    " of a secret: D1 may read fewer. No index is advised for it.",
    "estimated": "`rowsRead` is an estimate from full scans alone, and advice rests on the plan alone: write the"
    " statement without rowid, INDEXED BY and the name of the schema to have both exact.",
    "slow": "There was no time to try every index: what is not `verified` rests on the plan alone.",
    "remote": "On Cloudflare the statement is not run, since D1 bills what it reads: `meta.rowsRead` of `d1_query` tells"
    " its rows, without which there is no price, and advice rests on the plan alone. A local database with rows can verify it.",
    "large": f"The database is too large to try indexes on a copy ({COPY_BYTES >> 20} MB at most): advice rests on the"
    " plan alone.",
}


@tool(title="Explain a D1 statement", component="d1", reads_only=True)
def d1_explain(
    app: App,
    database: Name,
    sql: Sql,
    parameters: Parameters = [],  # noqa: B006 - pydantic copies it
    advise: Annotated[bool, Field(description="Try indexes on a copy and propose those that help.")] = True,
    calls: Annotated[
        int | None, Field(ge=1, le=10**12, description="Calls in a month, for their price on D1's list.")
    ] = None,
) -> Reply[Explained]:
    """Explain one SELECT: its query plan, the rows D1 would bill, and indexes proven to lower them.

    Use it when `d1_query` is slow or `meta.rowsRead` is high. Nothing is changed; put `createIndex` in a migration.
    """
    chosen, seconds = app.database(database), app.settings.limits.statement_seconds
    if chosen.location == "remote":
        judge = Judge(app.pool, app.schemas, seconds)
        told = explain_remotely(judge, app.remote(chosen), sql, parameters, advised=advise)
    else:
        told = explain(chosen, sql, parameters, advised=advise, calls=calls, seconds=seconds)
    return Reply(
        summary=_summary(told.explained),
        data=told.explained,
        artifacts=[f"d1://{database}/schema"],
        recommendations=_recommendations(told),
        partial=bool(told.holes or told.elsewhere),
    )


def _summary(explained: Explained) -> str:
    rows = "an unknown number of" if explained.rows_read is None else str(explained.rows_read)
    scans = sum(step.full_scan for step in explained.plan)
    whole = f", with {scans} full {'scan' if scans == 1 else 'scans'}" if scans else ""
    count = sum(each.create_index.count("CREATE INDEX ") for each in explained.advice)
    help_ = "would help" if all(each.verified for each in explained.advice) else "might help"
    advice = f" {count} {'index' if count == 1 else 'indexes'} {help_}." if count else ""
    return f"The statement reads {rows} {'row' if rows == '1' else 'rows'}{whole}.{advice}"


def _recommendations(told: Told) -> list[str]:
    found = []
    if told.elsewhere:
        where = "in `rowsRead` and `plan`" if told.hidden else "in `rowsRead`; `plan` is D1's own"
        found.append(
            f"Secrets count as NULL {where}: {', '.join(told.elsewhere)}. No index is advised for such a statement."
        )
    found += [HOLES[hole] for hole in told.holes if hole != "reworded" or not told.elsewhere]
    if told.explained.advice:
        found.append("Put `createIndex` in a new migration; each write to that table then writes one row more.")
    return found
