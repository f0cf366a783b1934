"""Ask a process of its own for the plan, the cost and the advice of one statement."""

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mcp_daan.d1.apart import told
from mcp_daan.d1.databases import Database, local_file
from mcp_daan.d1.explaining.price import Price, price
from mcp_daan.d1.query import Parameter, bound
from mcp_daan.errors import InvalidArguments, TooLarge, TooSlow, Unavailable
from mcp_daan.protocol import SAFE_INTEGER, Model

# Each may hold a copy of a database.
_places = threading.BoundedSemaphore(2)


class PlanStep(Model):
    """One line of the plan; `parent` is the id of the line it belongs to, 0 for none."""

    id: int
    parent: int
    detail: str
    full_scan: bool


class Proposal(Model):
    """An index to make, and the rows read before and after it, all proposals above it being there already."""

    create_index: str
    rows_read_before: int | None
    rows_read_after: int | None
    speedup: float | None
    verified: bool


class Explained(Model):
    """How a statement runs, what it reads, and what would make it read less.

    `rowsRead` is null when it could not be counted, `price` when no `calls` were given.
    """

    plan: list[PlanStep]
    rows_read: int | None
    advice: list[Proposal]
    price: Price | None


@dataclass(frozen=True)
class Told:
    """The explanation, its `holes` (see explanation.py), and the secret columns that count as NULL in the count.

    `hidden`: they are NULL in the plan too.
    """

    explained: Explained
    holes: list[str]
    elsewhere: list[str]
    hidden: bool


def explain(
    database: Database,
    sql: str,
    parameters: Sequence[Parameter],
    *,
    advised: bool,
    calls: int | None,
    seconds: float,
) -> Told:
    """The plan, rows read and advice for the one SELECT *sql*.

    Fails as `query` does, but a statement that is too slow or too large to run is still planned.
    """
    request = {
        "path": str(local_file(database)),
        "sql": sql,
        "parameters": [bound(value) for value in parameters],
        "patterns": database.secret_columns,
        "advised": advised,
    }
    found = _heard(request, seconds)
    rows = found["rows"]
    if calls is not None and rows is not None and rows * calls > SAFE_INTEGER:
        raise InvalidArguments("`calls` is more than can be counted.", advice="Give the calls of one month.")
    explained = Explained(
        plan=[PlanStep(**step) for step in found["plan"]],
        rows_read=rows,
        advice=[_proposal(each) for each in found["proposals"]],
        price=None if calls is None or rows is None else price(rows, calls),
    )
    holes = found["holes"] if rows is not None or "untold" in found["holes"] else ["uncounted", *found["holes"]]
    return Told(explained, holes, found["elsewhere"], found["hidden"])


def _heard(request: Mapping[str, Any], seconds: float) -> dict[str, Any]:
    """What the process told until its end, be it that of its time or memory."""
    ends = time.monotonic() + seconds
    found: dict[str, Any] = {"rows": None, "elsewhere": [], "proposals": [], "holes": []}
    if not _places.acquire(timeout=seconds):
        raise Unavailable("Other statements are being explained.", advice="Ask again in a moment.")
    try:
        for said in told("explanation", request, seconds=ends - time.monotonic()):
            found |= said
    except (TooSlow, TooLarge):
        if "plan" not in found:
            raise
    finally:
        _places.release()
    if "plan" not in found:
        raise TooSlow("The statement could not be planned in time.", advice="Ask again with a simpler statement.")
    if "end" not in found and found["rows"] is not None:
        found["holes"].append("slow")
    return found


def _proposal(told: Mapping[str, Any]) -> Proposal:
    before, after = told["rows_before"], told["rows_after"]
    return Proposal(
        create_index=told["create_index"],
        rows_read_before=before,
        rows_read_after=after,
        speedup=None if before is None or after is None else round(before / max(after, 1), 1),
        verified=told["verified"],
    )
