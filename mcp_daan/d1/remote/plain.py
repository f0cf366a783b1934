"""On a remote database a secret may stand as a plain result column of its own table, and nowhere else.

D1 has no way to hide a value from a statement, as the local engine has: what filters, sorts or computes by a secret
would tell of it by its rows. Three judges must agree, and whoever disagrees refuses: lineage, which follows names; the
engine, which counts every place where a secret is read and knows where each result column comes from; and the text, in
which a secret's name stands once for each place in the result and nowhere else.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import apsw

from mcp_daan.d1.masking.catalog import Secret, Secrets, read_catalog
from mcp_daan.d1.masking.concern import Masks
from mcp_daan.d1.masking.lineage import in_open_order
from mcp_daan.d1.masking.parse import read_statement
from mcp_daan.d1.masking.probe import nothing_bound
from mcp_daan.d1.masking.secrets import secret_indexes, tables_in_secret_order
from mcp_daan.d1.masking.select import Core, Expression, Select, Table, Unreadable
from mcp_daan.d1.masking.words import tokens
from mcp_daan.d1.statement import Shape, column_masks
from mcp_daan.errors import Refused


@dataclass(frozen=True)
class Seen:
    """What the engine says of a statement: each read with the view it is in, and each result column's origin."""

    reads: list[tuple[Secret, bool]]
    origins: list[Secret | None]
    names: list[str]

    def secrets(self, secrets: Secrets) -> list[Secret]:
        """Every secret that is read, once for each place."""
        return [read for read, _ in self.reads if read in secrets]


def plain_masks(connection: apsw.Connection, sql: str, shape: Shape, secrets: Secrets) -> Masks:
    """Which result columns are secrets; Refused where a secret is used in any other way."""
    masks = column_masks(connection, sql, shape, secrets)
    words = tokens(sql)
    if words[0].word == "PRAGMA":
        return masks
    if words[0].word == "EXPLAIN":
        explained = sql[words[3 if words[1].word == "QUERY" else 1].start :]
        _judge(connection, explained, None, secrets)
        return masks
    _judge(connection, sql, masks, secrets)
    return masks


@dataclass(frozen=True)
class Order:
    """What may tell the order of secrets: *indexes* that the remote planner may walk, or *always* the table itself.

    *reworded* says the same in words that keep to no such order; None if there are none.
    """

    indexes: list[str]
    always: bool
    reworded: str | None


def order_told(connection: apsw.Connection, sql: str, secrets: Secrets) -> Order:
    """What the order of the rows of *sql* may tell."""
    catalog = read_catalog(connection)
    touched = {table for (table, _), _ in seen(connection, sql).reads}
    indexed, kept = tables_in_secret_order(catalog, secrets)
    if touched.isdisjoint(indexed | kept):
        return Order([], False, None)
    try:
        reworded = in_open_order(connection, sql, secrets)
    except Refused:
        reworded = None
    names = sorted(index.name for index in secret_indexes(catalog, secrets) if index.table in touched)
    return Order(names, not touched.isdisjoint(kept), reworded)


def seen(connection: apsw.Connection, sql: str) -> Seen:
    """Prepare *sql* and stop there; the connection's own authorizer is asked as well."""
    guard = connection.authorizer
    found = Seen([], [], [])

    def listen(action: int, first: str | None, second: str | None, schema: str | None, inside: str | None) -> int:
        if action == apsw.SQLITE_READ:
            found.reads.append((((first or "").lower(), (second or "").lower()), inside is not None))
            # Never hidden here: a hidden column has no origin.
            return apsw.SQLITE_OK
        return apsw.SQLITE_OK if guard is None else guard(action, first, second, schema, inside)

    def stop(cursor: apsw.Cursor, *about: object) -> bool:
        for name, _, _, table, column in cursor.description_full:
            found.names.append(name.lower())
            found.origins.append((table.lower(), column.lower()) if table and column else None)
        return False

    connection.authorizer = listen
    cursor = connection.cursor()
    cursor.exec_trace = stop
    try:
        cursor.execute(sql, nothing_bound(sql), can_cache=False)
    except apsw.ExecTraceAbort:
        return found
    finally:
        connection.authorizer = guard
    raise Refused("There is no statement.", advice="Send one SELECT.")


def _judge(connection: apsw.Connection, sql: str, masks: Masks | None, secrets: Secrets) -> None:
    masks = masks or column_masks(connection, sql, Shape(tuple(seen(connection, sql).names), False), secrets)
    found = seen(connection, sql)
    secret = found.secrets(secrets)
    if masks.elsewhere:
        raise _refusal(masks.elsewhere)
    if not secret and not any(masks.columns):
        _nowhere(sql, found, secrets)
        return
    told = [origin in secrets for origin in found.origins]
    if told != list(masks.columns) or sum(told) != len(secret) or _in_view(found, secrets):
        raise _refusal(map(".".join, secret))
    try:
        select = read_statement(sql)
    except Unreadable:
        raise _refusal(map(".".join, secret)) from None
    if not (_is_simple(select) and _stands_once(sql, select.cores[0], found, secrets) and _sorts_by_names(select)):
        raise _refusal(map(".".join, secret))


def _in_view(found: Seen, secrets: Secrets) -> bool:
    return any(inside for read, inside in found.reads if read in secrets)


def _nowhere(sql: str, found: Seen, secrets: Secrets) -> None:
    """A statement that reads no secret names none either: USING and arguments of tables are no reads to the engine."""
    touched = {table for (table, _), _ in found.reads}
    names = {column for table, column in secrets if table in touched}
    if any(token.name in names for token in tokens(sql)):
        raise _refusal(".".join(each) for each in secrets if each[0] in touched)


def _is_simple(select: Select) -> bool:
    """One SELECT from tables, without parts of its own."""
    core = select.cores[0]
    if select.ctes or len(select.cores) > 1 or core.distinct or core.sources is None:
        return False
    return all(isinstance(part.source, Table) and not part.natural for part in core.sources.parts)


def _stands_once(sql: str, core: Core, found: Seen, secrets: Secrets) -> bool:
    """Whether the names of the secrets, and those that the result gives them, stand in the result list alone."""
    columns = {column for _, column in found.secrets(secrets)}
    watched = columns | {
        name for name, origin in zip(found.names, found.origins, strict=True) if origin in secrets and name
    }
    listed = [each for each in core.results if not each.star]
    wanted = 0
    for result in listed:
        secret = result.expression.plain and result.expression.names[0][-1] in columns
        wanted += secret + (secret and result.alias in watched)
    return sum(token.name in watched for token in tokens(sql)) == wanted


def _sorts_by_names(select: Select) -> bool:
    """Whether no term of ORDER BY or GROUP BY may be the number of a column."""
    terms: list[Expression] = [*select.order, *select.cores[0].groups]
    return not any(term.numbers for term in terms)


def _refusal(secrets: Iterable[str]) -> Refused:
    names = ", ".join(sorted(set(secrets)))
    return Refused(
        "On a remote database a secret may be a plain result column and nothing else"
        + (f": {names}." if names else "."),
        advice="Select it plainly from its table, where it shows as ***, and leave it out of WHERE, JOIN, ORDER BY,"
        " GROUP BY, expressions, subqueries and views; the local database takes those with the secret as NULL.",
    )
