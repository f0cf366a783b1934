"""Judge one statement of a caller's inside the worker, on an empty copy of the remote schema, before it is sent."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import apsw

from mcp_daan.d1.guard import Guard, refusal
from mcp_daan.d1.masking.secrets import secret_columns
from mcp_daan.d1.masking.words import tokens
from mcp_daan.d1.reading import table_names
from mcp_daan.d1.remote.plain import Order, order_told, plain_masks
from mcp_daan.d1.remote.shadow import shadow
from mcp_daan.d1.statement import check_text, look, unused_name
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
    check_text(sql)
    with shadow(schema, seconds=seconds) as connection:
        secrets = secret_columns(connection, patterns)
        tables = table_names(connection)
        guard = Guard(tables, secrets)
        connection.authorizer = guard
        try:
            shape = look(connection, sql, parameters)
            masks = plain_masks(connection, sql, shape, secrets)
            pages = not shape.explains and tokens(sql)[0].word != "PRAGMA"
            return {
                "columns": shape.columns,
                "masked": masks.columns,
                "order": asdict(order_told(connection, sql, secrets) if pages and secrets else Order([], False, None)),
                "pages": pages,
                "name": unused_name(sql, tables),
            }
        except apsw.Error:
            if guard.denial is not None:
                raise refusal(guard) from None
            raise
