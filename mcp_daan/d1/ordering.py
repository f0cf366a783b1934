"""Keep the order of rows from telling the order of secrets.

Where no ORDER BY says otherwise, rows come as the engine walks through them: `SELECT id` may well walk an index on a
secret, since that is the smallest thing to read, and rows of a table without rowid lie in the order of its key. Such
a statement is run in other words: the same rows, in an order that a secret has no part in.
"""

from collections.abc import Iterable

import apsw

from mcp_daan.d1.catalog import Catalog, Relation, Secrets, quoted
from mcp_daan.d1.probe import program
from mcp_daan.d1.secrets import kept_in_secret_order, secret_indexes
from mcp_daan.d1.select import Table

_OPENING = frozenset({"OpenRead", "ReopenIdx"})
# These count the rows of an index or let go of it, and see none of its order.
_HARMLESS = frozenset({"Count", "Close"})


def tables_in_secret_order(catalog: Catalog, secrets: Secrets) -> tuple[frozenset[str], frozenset[str]]:
    """The tables with an index that draws on a secret, and those that lie in a secret's order themselves."""
    key = ("order", secrets)
    if key not in catalog.memory:
        indexed = frozenset(index.table for index in secret_indexes(catalog, secrets))
        kept = frozenset(each.name for each in catalog.relations.values() if kept_in_secret_order(each, secrets))
        catalog.memory[key] = (indexed, kept)
    found: tuple[frozenset[str], frozenset[str]] = catalog.memory[key]
    return found


def walks_secret_index(connection: apsw.Connection, sql: str, catalog: Catalog, secrets: Secrets) -> bool:
    """Whether the engine would walk an index that draws on a secret.

    From here on the connection plans without a look at bound values, so that the plan stays what was seen here.
    """
    connection.config(apsw.SQLITE_DBCONFIG_ENABLE_QPSG, 1)
    roots = {index.root for index in secret_indexes(catalog, secrets)}
    steps = program(connection, sql, secrets)
    cursors = {p1 for opcode, p1, p2 in steps if opcode in _OPENING and p2 in roots}
    return any(p1 in cursors and opcode not in _OPENING | _HARMLESS for opcode, p1, _ in steps)


def reworded(sql: str, sources: Iterable[tuple[Table, Relation]], catalog: Catalog, secrets: Secrets) -> str:
    """*sql* with each of its *sources* read in an order that no secret has a part in."""
    indexed, kept = tables_in_secret_order(catalog, secrets)
    for table, relation in sorted(sources, key=lambda source: source[0].start, reverse=True):
        if relation.name in kept:
            sql = sql[: table.start] + _sorted(table, relation, secrets) + sql[table.end :]
        elif relation.name in indexed and table.indexed is None:
            sql = sql[: table.end] + " NOT INDEXED " + sql[table.end :]
    return sql


def _sorted(table: Table, relation: Relation, secrets: Secrets) -> str:
    open_columns = [quoted(name) for name in relation.visible if (relation.name, name) not in secrets]
    order = f" ORDER BY {', '.join(open_columns)}" if open_columns else ""
    # Without a LIMIT the engine may leave out the sorting of a subquery.
    return f"(SELECT * FROM main.{quoted(relation.name)}{order} LIMIT -1) AS {quoted(table.alias or table.name)}"
