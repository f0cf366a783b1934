"""How many rows D1 would bill for a statement.

D1 counts in the engine: every row that a cursor steps to, of a table, an index or a sorter, and every seek that finds
something. A stock SQLite does not count that, but calls a function of ours for every row that a loop visits, if
that function stands in the WHERE of a view that takes the table's place. A view is flattened away, so the plan stays
what it was; where it does not stay so, only what cost.py tells is known.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import apsw

from mcp_daan.d1.explaining.cost import counted_whole, counting
from mcp_daan.d1.explaining.plan import Step, accesses, read_plan
from mcp_daan.d1.explaining.sorting import highest_parameter, rows_sorted
from mcp_daan.d1.guard import TABLE_FUNCTIONS, Guard
from mcp_daan.d1.masking.catalog import Catalog, Relation, Secrets, quoted, unguarded
from mcp_daan.d1.masking.parse import body_of_view
from mcp_daan.d1.masking.probe import prepare
from mcp_daan.d1.masking.secrets import secret_indexes
from mcp_daan.d1.masking.words import tokens
from mcp_daan.d1.values import SQLValue

TICK = "daan_tick"
# The views name the schema, and no alias: only so do such lines begin.
_SCAN = re.compile(r"^(?:SCAN main\.(.+?)(?: USING .*| LEFT-JOIN)?|SEARCH main\.([^ ]+))$")
_KEY = re.compile(r"^SEARCH main\.(.+) USING PRIMARY KEY \((.*)\)")
_RANGE = re.compile(r"^SEARCH .* USING (?:COVERING )?INDEX (.+) \((.*)\)")


@dataclass(frozen=True)
class Statement:
    """A statement that the guard let by, and what it may read; *sorted_rows* remembers what does not change."""

    sql: str
    parameters: Sequence[SQLValue]
    tables: frozenset[str]
    secrets: Secrets
    catalog: Catalog
    sorted_rows: dict[str, int] = field(default_factory=dict)


class Meter:
    """Counts the rows that one statement reads over *connection*; `exact` unless the last count saw scans alone."""

    def __init__(self, connection: apsw.Connection, statement: Statement) -> None:
        self._connection = connection
        self._statement = statement
        self._visits = Counter[int]()
        self._runs = Counter[int]()
        self._last = -1
        self._numbers: dict[str, int] = {}
        self.exact = True
        with self._guarded():
            self._plain = prepare(connection, statement.sql, statement.secrets)
        self._connection.create_scalar_function(TICK, self._tick, 2, deterministic=True)

    def count(self) -> int:
        """The rows that D1 would bill, as near as can be told. Raises apsw's own errors, past the deadline too."""
        sql, parameters = self._statement.sql, self._statement.parameters
        with self._guarded():
            plan = read_plan(self._connection, sql, parameters)
        with self._views() as placed:
            billed = self._ticked(accesses(plan)) if placed else None
        self.exact = billed is not None
        if billed is None:
            billed = self._scanned()
        return billed + rows_sorted(self._execute, sql, plan, self._statement.sorted_rows)

    def uses(self, index: str) -> bool:
        """Whether the planner would use *index*, and in a way that may be counted.

        Nobody counts the seeks of skipping through an index, and none may tell of one that draws on a secret.
        """
        with self._guarded():
            steps = read_plan(self._connection, self._statement.sql, self._statement.parameters)
        lines = [f"{step.detail} (".lower() for step in steps]
        secret = {each.name for each in secret_indexes(self._statement.catalog, self._statement.secrets)}
        named = [name for name in (index.lower(), *secret) if any(f"index {name} (" in line for line in lines)]
        return named == [index.lower()] and not any("(any(" in line for line in lines)

    @property
    def tables(self) -> frozenset[str]:
        """The tables and views that the statement reads."""
        return self._plain.tables

    def _ticked(self, wanted: list[str]) -> int | None:
        """The rows by what ticks while the statement runs; None if the views would change how it runs."""
        sql, parameters = self._statement.sql, self._statement.parameters
        with self._guarded(ticking=True), counting(self._connection) as counted:
            try:
                steps = read_plan(self._connection, sql, parameters)
            except apsw.SQLError:  # it names what a view has not: its rowid, an index of it
                return None
            if accesses(steps) != wanted:
                return None
            self._visits.clear()
            self._runs.clear()
            self._last = -1
            returned = exhausted(self._connection.execute(sql, parameters))
        virtual = returned if any(self._relation(name).kind == "virtual" for name in self._plain.tables) else 0
        return self._billed(steps, counted.scanned) + virtual

    def _billed(self, steps: Sequence[Step], stepped: int) -> int:
        """Rows visited; a seek for each range of an index; and what scans stepped over that is no table."""
        whole = {(match[1] or match[2]).lower() for step in steps if (match := _SCAN.match(step.detail))}
        ranged = self._ranged(steps)
        scanned = sum(self._visits[number] for name, number in self._numbers.items() if name in whole)
        seeks = sum(self._runs[number] for name, number in self._numbers.items() if name in ranged)
        beside = stepped - scanned
        return self._visits.total() + seeks + (beside + 1 if beside > 0 else 0)

    def _ranged(self, steps: Sequence[Step]) -> set[str]:
        """The tables of which a plan reads a range of an index: past its end it steps on one more row."""
        found = set()
        indexes = self._indexes()
        for step in steps:
            if (match := _RANGE.match(step.detail)) and match[1].lower() in indexes:
                table, unique, width = indexes[match[1].lower()]
                if not unique or match[2].count("=?") < width:
                    found.add(table)
            elif (match := _KEY.match(step.detail)) and match[2].count("=?") < self._width(match[1]):
                found.add(match[1].lower())
        return found

    def _indexes(self) -> dict[str, tuple[str, bool, int]]:
        with unguarded(self._connection) as cursor:
            rows = cursor.execute(
                'SELECT lower(list.name), lower(tbl_name), list."unique",'
                " (SELECT count(*) FROM main.pragma_index_info(list.name, 'main'))"
                " FROM main.sqlite_schema, main.pragma_index_list(tbl_name, 'main') AS list WHERE type = 'table'"
            ).fetchall()
        return {str(name): (str(table), bool(unique), int(str(width))) for name, table, unique, width in rows}

    def _scanned(self) -> int:
        statement = self._statement
        with self._guarded() as guard, counting(self._connection) as counted:
            returned = exhausted(self._connection.execute(statement.sql, statement.parameters))
            if any(column == "" for _, column in guard.read):
                counted.scanned += counted_whole(self._connection, statement.sql, statement.parameters)
        return max(counted.scanned + (1 if counted.scanned else 0), returned)

    def _execute(self, sql: str) -> int:
        """The one number that *sql*, made of the statement, gives."""
        with self._guarded():
            return int(self._connection.execute(sql, self._statement.parameters[: highest_parameter(sql)]).get)

    def _width(self, table: str) -> int:
        return len(self._relation(table.lower()).primary)

    def _relation(self, name: str) -> Relation:
        # What no schema knows is a function of the engine's own, or a CTE.
        kind = "virtual" if name in TABLE_FUNCTIONS else ""
        return self._statement.catalog.relations.get(name) or Relation(name, kind)

    @contextmanager
    def _views(self) -> Iterator[bool]:
        """Views that tick in the place of the statement's tables; False if one has no column to tick by."""
        placed = [self._relation(name) for name in sorted(self._plain.tables)]
        placed = [each for each in placed if each.kind in ("table", "view") and not each.name.startswith("sqlite_")]
        views = [self._view(relation) for relation in placed]
        if None in views or _qualified(self._statement.sql):
            yield False
            return
        self._execute_own(*map(str, views))
        try:
            yield True
        finally:
            self._execute_own(*(f"DROP VIEW temp.{quoted(relation.name)}" for relation in placed))

    def _execute_own(self, *statements: str) -> None:
        # The file itself is open for reading only, or a copy of our own; `query_only` keeps temporary views out too.
        with unguarded(self._connection) as cursor:
            cursor.execute("; ".join(["PRAGMA query_only = 0", *statements, "PRAGMA query_only = 1"])).fetchall()

    def _view(self, relation: Relation) -> str | None:
        name = quoted(relation.name)
        if relation.kind == "view":
            columns = ", ".join(map(quoted, relation.declared))
            return f"CREATE TEMP VIEW {name} ({columns}) AS {relation.sql[body_of_view(relation.sql) :]}"
        by = relation.primary[0] if relation.primary else "rowid"
        # A secret is read as NULL, and a NULL belongs to no table's loop; a column may be called rowid.
        secret = (relation.name, relation.key or by) in self._statement.secrets
        if secret or (not relation.primary and by in relation.columns):
            return None
        number = self._numbers.setdefault(relation.name, len(self._numbers))
        return f"CREATE TEMP VIEW {name} AS SELECT * FROM main.{name} WHERE {TICK}({number}, {quoted(by)})"

    def _tick(self, *values: SQLValue) -> int:
        number = values[0]
        assert isinstance(number, int)
        self._visits[number] += 1
        if number != self._last:
            self._runs[number] += 1
            self._last = number
        return 1

    @contextmanager
    def _guarded(self, *, ticking: bool = False) -> Iterator[Guard]:
        """The guard of callers' statements; while *ticking*, our own views and our own function are let through."""
        guard = Guard(self._statement.tables, self._statement.secrets)

        def ask(action: int, first: str | None, second: str | None, schema: str | None, inside: str | None) -> int:
            if action == apsw.SQLITE_FUNCTION and second == TICK and inside is not None:
                return apsw.SQLITE_OK
            return guard(action, first, second, "main" if schema == "temp" else schema, inside)

        before = self._connection.authorizer
        self._connection.authorizer = ask if ticking else guard
        try:
            yield guard
        finally:
            self._connection.authorizer = before


def _qualified(sql: str) -> bool:
    """Whether a statement names the schema, and so reaches past a view that stands in a table's place."""
    words = tokens(sql)
    return any(token.name == "main" and after.word == "." for token, after in pairwise(words))


def exhausted(rows: Iterator[Any]) -> int:
    """How many rows there are; what stands in them does not matter, not even that it is no text."""
    count = 0
    while True:
        try:
            for _ in rows:
                count += 1
        except UnicodeDecodeError:
            count += 1
        else:
            return count
