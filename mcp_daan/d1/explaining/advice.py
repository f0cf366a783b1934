"""Advise indexes for a statement: tried on a copy, and only those with which it reads fewer rows."""

import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from itertools import combinations

import apsw

from mcp_daan.d1.explaining.billing import Meter, Statement
from mcp_daan.d1.explaining.candidates import Candidate, candidates
from mcp_daan.d1.explaining.scratch import built, copied, fits, interrupt
from mcp_daan.d1.masking.words import tokens

MOST, MOST_PAIRS = 3, 6
# A trial may take this much longer than the statement without an index.
TIMES = 3
# Less than a tenth is not worth what an index costs at each write.
LEAST = 0.9
# Once the statement itself was counted: each candidate costs about as much again.
GIVES_UP = (apsw.InterruptError, apsw.NoMemError, apsw.FullError, apsw.TooBigError, MemoryError)


@dataclass(frozen=True)
class Proposal:
    """An index and the rows that the statement reads without it and with it, the proposals before it being there."""

    create_index: str
    rows_before: int | None
    rows_after: int | None
    verified: bool


@dataclass(frozen=True)
class Advice:
    """Indexes to make; `hole` says why not every candidate was tried: "large", "slow", "estimated", or nothing."""

    proposals: tuple[Proposal, ...] = ()
    hole: str = ""


def advise(
    connection: apsw.Connection,
    statement: Statement,
    meter: Meter,
    rows: int | None,
    *,
    took: float,
    until: float,
) -> Advice:
    """Indexes for *statement*, of which *meter* counted *rows* rows in *took* seconds.

    What is not tried when the clock passes *until* is left out.
    """
    if rows is not None and rows <= 1:
        return Advice()
    found = candidates(connection, statement.sql, meter.tables, statement.catalog, statement.secrets)
    if not found:
        return Advice()
    hole = "" if fits(connection) else "large"
    if rows is None:
        hole = "slow"
    elif not meter.exact:
        hole = "estimated"
    elif not hole:
        try:
            with copied(connection, rows=True, until=until) as copy:
                return _tried(copy, statement, found, rows, took, until)
        except GIVES_UP:
            hole = "slow" if time.monotonic() >= until else "large"
    # The deadline of the whole call still holds here; planning takes no rows.
    with copied(connection, rows=False, until=time.monotonic() + 1) as schema:
        return Advice(_guessed(schema, statement, found, rows), hole)


def _tried(
    copy: apsw.Connection, statement: Statement, found: Sequence[Candidate], before: int, took: float, until: float
) -> Advice:
    """The best choice, then the best beside it, and so on; those that no longer help are left out."""
    trial = Trial(copy, Meter(copy, statement), TIMES * took + 0.05, until)
    choices: list[tuple[Candidate, ...]] = [*((each,) for each in found), *_pairs(statement.sql, found)]
    proposals: list[Proposal] = []
    rows: dict[tuple[Candidate, ...], int] = {}
    with ExitStack() as kept:
        try:
            while choices and before > 1 and len(proposals) < MOST:
                rows.clear()
                for each in choices:
                    if (after := trial.rows(each)) is not None and after < before * LEAST:
                        rows[each] = after
                if rows:
                    best = _best(rows)
                    proposals.append(_proposal(best, before, rows[best]))
                    before = rows[best]
                    for part in best:
                        kept.enter_context(built(copy, part))
                choices = [each for each in choices if rows and not set(each) & set(best)]
        except GIVES_UP:
            hole = "slow" if time.monotonic() >= until else "large"
            copy.set_progress_handler(None)  # what was built has yet to be taken down
            if not proposals and rows:
                proposals.append(_proposal(_best(rows), before, min(rows.values())))
            return Advice(tuple(proposals), hole)
    return Advice(tuple(proposals))


def _best(rows: Mapping[tuple[Candidate, ...], int]) -> tuple[Candidate, ...]:
    """Of those that read the fewest rows, the one with the fewest columns."""
    return min(rows, key=lambda each: (rows[each], sum(len(part.terms) for part in each)))


def _proposal(choice: tuple[Candidate, ...], before: int, after: int) -> Proposal:
    return Proposal(" ".join(f"{each.sql};" for each in choice), before, after, True)


def _pairs(sql: str, found: Sequence[Candidate]) -> list[tuple[Candidate, ...]]:
    """For OR, two indexes of one table: neither helps alone."""
    if all(token.word != "OR" for token in tokens(sql)):
        return []
    pairs: Iterable[tuple[Candidate, ...]] = combinations([each for each in found if len(each.terms) <= 2], 2)
    return [pair for pair in pairs if pair[0].table == pair[1].table and pair[0].terms[0] != pair[1].terms[0]][
        :MOST_PAIRS
    ]


class Trial:
    """Runs a statement on a copy with indexes, for at most *most* seconds each time: what takes longer is no help."""

    def __init__(self, copy: apsw.Connection, meter: Meter, most: float, until: float) -> None:
        self._copy = copy
        self._meter = meter
        self._most = most
        self._until = until

    def rows(self, choice: tuple[Candidate, ...]) -> int | None:
        """The rows read with *choice*; None if it cannot be built, or the planner leaves a part of it aside."""
        with suppress(apsw.SQLError), ExitStack() as stack:
            for each in choice:
                stack.enter_context(built(self._copy, each))
            return self._counted() if all(self._meter.uses(each.name) for each in choice) else None
        return None

    def _counted(self) -> int | None:
        interrupt(self._copy, min(self._until, time.monotonic() + self._most))
        try:
            rows = self._meter.count()
            return rows if self._meter.exact else None
        except apsw.InterruptError:
            if time.monotonic() >= self._until:
                raise
            return None
        finally:
            interrupt(self._copy, self._until)


def _guessed(
    schema: apsw.Connection, statement: Statement, found: Sequence[Candidate], rows: int | None
) -> tuple[Proposal, ...]:
    """The first candidate of each table that the planner would use."""
    meter = Meter(schema, statement)
    proposals: dict[str, Proposal] = {}
    for each in found:
        if each.table not in proposals:
            with suppress(apsw.SQLError), built(schema, each):
                if meter.uses(each.name):
                    proposals[each.table] = Proposal(f"{each.sql};", rows, None, False)
    return tuple(proposals.values())[:MOST]
