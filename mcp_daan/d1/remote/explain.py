"""Explain a statement on a remote database by D1's own plan, without running it."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from mcp_daan.d1.explaining.explain import Explained, PlanStep, Proposal, Told
from mcp_daan.d1.explaining.plan import Step, steps_of
from mcp_daan.d1.masking.words import tokens
from mcp_daan.d1.query import Parameter
from mcp_daan.d1.remote.access import Remote
from mcp_daan.d1.remote.query import Judge, Judged, Sent, sendable
from mcp_daan.d1.remote.schemas import Schema
from mcp_daan.errors import InvalidArguments, TooLarge, TooSlow

STATISTICS = "SELECT tbl, idx, stat FROM sqlite_stat1"
SORTER = "USE TEMP B-TREE"


def explain_remotely(judge: Judge, remote: Remote, sql: str, parameters: Sequence[Parameter], *, advised: bool) -> Told:
    """The plan of the one SELECT *sql*, and indexes that its planner would likely use; none of them is verified.

    Its rows are not counted, since D1 bills what is read for it. Fails as a remote `query` does.
    """
    sent = [sendable(value) for value in parameters]

    def planned(judged: Judged) -> list[Step]:
        if not judged["pages"]:
            raise InvalidArguments(
                "Only SELECT, WITH and VALUES have a plan.", advice="Send the statement itself, without EXPLAIN."
            )
        return steps_of(remote.ask(f"EXPLAIN QUERY PLAN {_bare(sql)}", sent, width=4).rows)

    _, steps = judge.read(remote, sql, sent, planned)
    costs = any(step.full_scan or step.detail.startswith(SORTER) for step in steps)
    indexes = _indexes(judge, remote, sql, sent) if advised and costs else []
    explained = Explained(
        plan=[PlanStep(**asdict(step)) for step in steps],
        rows_read=None,
        advice=[
            Proposal(create_index=each, rows_read_before=None, rows_read_after=None, speedup=None, verified=False)
            for each in indexes
        ],
        price=None,
    )
    return Told(explained, ["remote"], [], False)


def _bare(sql: str) -> str:
    """*sql* from its first word on: what stands before it could be half a comment."""
    return sql[tokens(sql)[0].start :]


def _indexes(judge: Judge, remote: Remote, sql: str, sent: Sent) -> list[str]:
    schema, _ = judge.schemas.known(remote)
    request = {
        "task": "proposals",
        "schema": schema,
        "statistics": _statistics(remote, schema),
        "sql": sql,
        "parameters": list(sent),
        "patterns": remote.database.secret_columns,
    }
    try:
        found: list[str] = judge.pool.ask(request, seconds=judge.seconds)["indexes"]
    except (TooSlow, TooLarge):  # the plan stands without advice
        return []
    return found


def _statistics(remote: Remote, schema: Schema) -> list[list[Any]]:
    return remote.ask(STATISTICS, width=3).rows if any(name == "sqlite_stat1" for _, name, *_ in schema) else []
