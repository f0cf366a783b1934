"""Explain one statement of a caller's inside a worker process: guarded, counted, advised."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import apsw

from mcp_daan.d1.explaining.advice import GIVES_UP, advise
from mcp_daan.d1.explaining.billing import Meter, Statement
from mcp_daan.d1.explaining.plan import read_plan
from mcp_daan.d1.explaining.scratch import interrupt
from mcp_daan.d1.guard import Guard, refusal
from mcp_daan.d1.masking.catalog import Catalog, Secrets, read_catalog, unguarded
from mcp_daan.d1.masking.concern import Masks
from mcp_daan.d1.masking.secrets import secret_columns, secret_indexes
from mcp_daan.d1.masking.words import tokens
from mcp_daan.d1.reading import snapshot, table_names
from mcp_daan.d1.statement import check_text, column_masks, look
from mcp_daan.d1.values import SQLValue
from mcp_daan.errors import InvalidArguments, Refused

# Of the time there is: to run the statement once, and to have tried candidates.
COUNTING, ADVISING = 0.5, 0.85


def explanation(
    *, path: str, sql: str, parameters: Sequence[SQLValue], patterns: Sequence[str], advised: bool, seconds: float
) -> Iterator[dict[str, Any]]:
    """First the plan of *sql*, then the rows it reads, then indexes that would lower them if *advised*.

    `holes` are "untold" (a count might tell of a secret), "reworded" (it was counted in other words), "estimated" (by
    its scans alone), "slow" and "large" (not every candidate was tried). `rows` is None where they could not be
    counted in time and memory.
    """
    started = time.monotonic()
    check_text(sql)
    with snapshot(Path(path), seconds=seconds) as connection:
        secrets = secret_columns(connection, patterns)
        guard = Guard(table_names(connection), secrets)
        connection.authorizer = guard
        try:
            shape = look(connection, sql, parameters)
            if shape.explains or tokens(sql)[0].word == "PRAGMA":
                raise InvalidArguments(
                    "Only SELECT, WITH and VALUES have a plan.", advice="Send the statement itself, without EXPLAIN."
                )
            catalog = read_catalog(connection)
            yield _planned(connection, sql, parameters, guard, catalog, secrets)
            try:
                masks = column_masks(connection, sql, shape, secrets)
            except Refused:
                yield {"holes": ["untold"]}
                return
            statement = Statement(masks.statement, parameters, table_names(connection), secrets, catalog)
            found = _counted(connection, statement, started, seconds, advised and _as_it_is(masks, sql))
            reworded = ["reworded"] if masks.statement != sql else []
            for said in found:
                yield {"elsewhere": masks.elsewhere, **said, "holes": reworded + said.get("holes", [])}
        except apsw.Error:
            if guard.denial is not None:
                raise refusal(guard) from None
            raise


def _counted(
    connection: apsw.Connection, statement: Statement, started: float, seconds: float, advised: bool
) -> Iterator[dict[str, Any]]:
    meter = Meter(connection, statement)
    begun = time.monotonic()
    rows = _count(connection, meter, started + seconds * COUNTING)
    took = time.monotonic() - begun
    holes = [] if meter.exact else ["estimated"]
    yield {"rows": rows, "holes": holes}
    if advised:
        interrupt(connection, started + seconds)
        advice = advise(connection, statement, meter, rows, took=took, until=started + seconds * ADVISING)
        holes += [advice.hole] if advice.hole and advice.hole not in holes else []
        yield {"proposals": [asdict(proposal) for proposal in advice.proposals], "holes": holes}


def _count(connection: apsw.Connection, meter: Meter, until: float) -> int | None:
    interrupt(connection, until)
    try:
        return meter.count()
    except GIVES_UP:
        return None


def _as_it_is(masks: Masks, sql: str) -> bool:
    """Whether the statement that is tried is the one that D1 would run, with no secret that counts as NULL."""
    return masks.statement == sql and not masks.elsewhere


def _planned(
    connection: apsw.Connection,
    sql: str,
    parameters: Sequence[SQLValue],
    guard: Guard,
    catalog: Catalog,
    secrets: Secrets,
) -> dict[str, Any]:
    """The plan that D1 would follow, with secrets as they are; where it would tell of one, with NULL in their place."""
    hidden = _plan_tells(connection, catalog, secrets)
    if not hidden:
        connection.authorizer = Guard(table_names(connection))
    try:
        steps = read_plan(connection, sql, parameters)
    finally:
        connection.authorizer = guard
    return {"plan": [asdict(step) for step in steps], "hidden": hidden}


def _plan_tells(connection: apsw.Connection, catalog: Catalog, secrets: Secrets) -> bool:
    """Whether a plan depends on values: those that an index on a secret spells out, or samples of statistics."""
    names = {index.name for index in secret_indexes(catalog, secrets)}
    with unguarded(connection) as cursor:
        rows = cursor.execute("SELECT name, sql FROM main.sqlite_schema WHERE sql IS NOT NULL").fetchall()
    written = [tokens(str(sql)) for name, sql in rows if str(name).lower() in names]
    literal = any(token.kind in ("string", "blob", "number") for words in written for token in words)
    return literal or any(name == "sqlite_stat4" for name, _ in rows)
