"""Judge one statement of a caller's inside the worker, on an empty copy of the remote schema, before it is sent."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

import apsw

from mcp_daan.d1.guard import Guard, refusal
from mcp_daan.d1.masking.catalog import Secrets, read_catalog
from mcp_daan.d1.masking.concern import Masks
from mcp_daan.d1.masking.secrets import secret_columns
from mcp_daan.d1.masking.words import tokens
from mcp_daan.d1.reading import table_names
from mcp_daan.d1.remote.plain import Order, order_told, plain_masks
from mcp_daan.d1.remote.shadow import shadow
from mcp_daan.d1.statement import Shape, check_text, look, unused_name
from mcp_daan.d1.values import SQLValue


def judgement(
    *,
    schema: Sequence[Sequence[Any]],
    sql: str,
    parameters: Sequence[SQLValue],
    patterns: Sequence[str],
    seconds: float,
) -> dict[str, Any]:
    """What may be sent of *sql*: `columns` and which of them are `masked`, a `name` that is free for a part around it.

    `pages` tells whether it can be such a part; `order` is what may tell the order of secrets (see `Order`). Raises Refused and what SQLite says as `answer` does.
    """
    with _judging(schema, sql, parameters, patterns, seconds) as (connection, shape, masks, secrets):
        pages = not shape.explains and tokens(sql)[0].word != "PRAGMA"
        return {
            "columns": shape.columns,
            "masked": masks.columns,
            "order": asdict(order_told(connection, sql, secrets) if pages and secrets else Order([], False, None)),
            "pages": pages,
            "name": unused_name(sql, table_names(connection)),
        }


def proposals(
    *,
    schema: Sequence[Sequence[Any]],
    statistics: Sequence[Sequence[Any]],
    sql: str,
    parameters: Sequence[SQLValue],
    patterns: Sequence[str],
    seconds: float,
) -> dict[str, list[str]]:
    """`indexes`: CREATE INDEX for each that D1's planner would likely use for *sql*, a statement that was judged."""
    from mcp_daan.d1.explaining.advice import advise
    from mcp_daan.d1.explaining.billing import Meter, Statement

    until = time.monotonic() + seconds
    with _judging(schema, sql, parameters, patterns, seconds, statistics) as (connection, _, _, secrets):
        statement = Statement(sql, parameters, table_names(connection), secrets, read_catalog(connection))
        advice = advise(connection, statement, Meter(connection, statement), None, took=0, until=until)
        return {"indexes": [each.create_index for each in advice.proposals]}


@contextmanager
def _judging(
    schema: Sequence[Sequence[Any]],
    sql: str,
    parameters: Sequence[SQLValue],
    patterns: Sequence[str],
    seconds: float,
    statistics: Sequence[Sequence[Any]] = (),
) -> Iterator[tuple[apsw.Connection, Shape, Masks, Secrets]]:
    check_text(sql)
    with shadow(schema, seconds=seconds, statistics=statistics) as connection:
        secrets = secret_columns(connection, patterns)
        guard = Guard(table_names(connection), secrets)
        connection.authorizer = guard
        try:
            shape = look(connection, sql, parameters)
            yield connection, shape, plain_masks(connection, sql, shape, secrets), secrets
        except apsw.Error:
            if guard.denial is not None:
                raise refusal(guard) from None
            raise
