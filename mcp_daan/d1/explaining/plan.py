"""How SQLite would run a statement: its query plan, as a tree in a list."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import apsw

from mcp_daan.d1.values import SQLValue

_MADE = re.compile(r"^(?:CO-ROUTINE|MATERIALIZE) (.+)$")
_CONSTANT = re.compile(r"^SCAN (?:CONSTANT ROW|\d+ CONSTANT ROWS|\d+-ROW VALUES CLAUSE)$")
_ACCESS = re.compile(r"^(SCAN|SEARCH) .*?( USING .*?)?(?: LEFT-JOIN)?$")
_UNCOUNTED = re.compile(r"\b(?:COVERING|PARTIAL) ")


@dataclass(frozen=True)
class Step:
    """One line of a plan; *parent* is the id of the line that it belongs to, 0 for none."""

    id: int
    parent: int
    detail: str
    full_scan: bool


def read_plan(connection: apsw.Connection, sql: str, parameters: Sequence[SQLValue]) -> list[Step]:
    """The plan of *sql*, which is not run; apsw's own errors where it cannot be prepared."""
    cursor = connection.cursor()
    cursor.exec_trace = lambda *_: True
    return steps_of(cursor.execute(sql, parameters, can_cache=False, explain=2).fetchall())


def steps_of(rows: Sequence[Sequence[Any]]) -> list[Step]:
    """The plan that EXPLAIN QUERY PLAN tells in *rows*."""
    lines = [(int(str(number)), int(str(parent)), str(detail)) for number, parent, _, detail in rows]
    made = {found[1] for *_, detail in lines if (found := _MADE.match(detail))}
    return [Step(number, parent, detail, _reads_all(detail, made)) for number, parent, detail in lines]


def accesses(steps: Sequence[Step]) -> list[str]:
    """In which ways a plan gets at rows and sorts them, whatever tables are called and subqueries become.

    Whether an index covers makes no difference: it changes how much is read of a row, not how many.
    """
    found = []
    for step in steps:
        if step.detail.startswith("USE TEMP "):
            found.append(step.detail)
        elif (match := _ACCESS.match(step.detail)) and "(subquery-" not in step.detail:
            found.append(match[1] + _UNCOUNTED.sub("", match[2] or ""))
    return sorted(found)


def _reads_all(detail: str, made: set[str]) -> bool:
    """Whether a line reads a whole table or a whole index of one, rather than rows made on the way."""
    if not detail.startswith("SCAN ") or _CONSTANT.match(detail) or " VIRTUAL TABLE " in detail:
        return False
    return re.split(r" USING | LEFT-JOIN", detail[5:])[0] not in made | {"(subquery"} and "(subquery-" not in detail
