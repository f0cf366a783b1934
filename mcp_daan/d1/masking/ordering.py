"""Keep the order of rows from telling the order of secrets.

Where no ORDER BY says otherwise, rows come as the engine walks through them: `SELECT id` may well walk an index on a
secret, since that is the smallest thing to read, and rows of a table without rowid lie in the order of its key. Such
a statement is run in other words: the same rows, in an order that a secret has no part in.
"""

from collections.abc import Iterable

import apsw

from mcp_daan.d1.masking.catalog import Catalog, Relation, Secrets, quoted
from mcp_daan.d1.masking.parse import body_of_view
from mcp_daan.d1.masking.probe import program
from mcp_daan.d1.masking.secrets import secret_indexes, tables_in_secret_order
from mcp_daan.d1.masking.trace import Source, Tracer

_OPENING = frozenset({"OpenRead", "ReopenIdx"})
# What puts a cursor on a row of an index or takes it to the next. Counting, or finding out whether a value is there
# at all, sees nothing of its order.
_WALKING = frozenset({"Rewind", "Last", "SeekLT", "SeekLE", "SeekGE", "SeekGT", "Next", "Prev"})


def walks_secret_index(connection: apsw.Connection, sql: str, catalog: Catalog, secrets: Secrets) -> bool:
    """Whether the engine would walk an index that draws on a secret.

    From here on the connection plans without a look at bound values, so that the plan stays what was seen here.
    """
    connection.config(apsw.SQLITE_DBCONFIG_ENABLE_QPSG, 1)
    roots = {index.root for index in secret_indexes(catalog, secrets)}
    steps = program(connection, sql, secrets)
    cursors = {p1 for opcode, p1, p2 in steps if opcode in _OPENING and p2 in roots}
    return any(p1 in cursors and opcode in _WALKING for opcode, p1, _ in steps)


def reworded(tracer: Tracer, sql: str, sources: Iterable[Source]) -> str:
    """*sql* with each of its *sources* read in an order that no secret has a part in."""
    for source in sorted(sources, key=lambda source: source.table.start, reverse=True):
        table = source.table
        text = _reworded(tracer, source, sql[table.start : table.end])
        if text is not None:
            text = f"(SELECT * FROM {text})" if source.listed else text
            sql = f"{sql[: table.start]}{text} {sql[table.end :]}"
    return sql


def _reworded(tracer: Tracer, source: Source, text: str) -> str | None:
    """A source in other words, or None if it may stay as it is."""
    indexed, kept = tables_in_secret_order(tracer.catalog, tracer.secrets)
    relation, alias = source.relation, quoted(source.table.alias or source.table.name)
    if relation.kind == "view":
        if tracer.behind(relation).relations.isdisjoint(indexed | kept):
            return None
        return f"{_expanded(tracer, relation)} AS {alias}"
    if relation.name in kept:
        return f"{_sorted(relation, tracer.secrets)} AS {alias}"
    return f"{text} NOT INDEXED" if relation.name in indexed and source.table.indexed is None else None


def _sorted(relation: Relation, secrets: Secrets) -> str:
    open_columns = [quoted(name) for name in relation.visible if (relation.name, name) not in secrets]
    order = f" ORDER BY {', '.join(open_columns)}" if open_columns else ""
    # Without a LIMIT the engine may leave out the sorting of a subquery.
    return f"(SELECT * FROM main.{quoted(relation.name)}{order} LIMIT -1)"


def _expanded(tracer: Tracer, view: Relation) -> str:
    """A view's own SELECT in its place, since its sources can only be reworded there."""
    name, columns = quoted(view.name), [quoted(column) for column in view.columns]
    body = reworded(tracer, view.sql, tracer.behind(view).sources)[body_of_view(view.sql) :].rstrip("; \n")
    shown = (
        f"NULL AS {quoted(column)}" if (view.name, column) in tracer.secrets else quoted(column)
        for column in view.columns
    )
    return f"(WITH {name} ({', '.join(columns)}) AS ({body}\n) SELECT {', '.join(shown)} FROM {name})"
