"""Which result columns of a statement draw on a secret, and which secrets it uses elsewhere.

The engine itself hides every secret value: the guard lets it read NULL instead. Lineage tells which result columns
are therefore not what they seem, so that they show as masked and all others stay readable. The engine is the judge
of it: what it reads and lineage does not see leads to a refusal. Three things the engine tells nobody, and lineage
minds them alone: columns that NATURAL or USING compares, arguments of table-valued functions, and the order of rows.
"""

import apsw

from mcp_daan.d1.masking.catalog import Secrets, read_catalog
from mcp_daan.d1.masking.concern import Masks, runs_as_it_is, shows_no_rows
from mcp_daan.d1.masking.ordering import reworded, walks_secret_index
from mcp_daan.d1.masking.parse import read_statement
from mcp_daan.d1.masking.probe import Prepared, prepare
from mcp_daan.d1.masking.secrets import DEFAULTS, SCHEMA_TEXT, tables_in_secret_order
from mcp_daan.d1.masking.select import Unreadable
from mcp_daan.d1.masking.trace import Outcome, Tracer, named
from mcp_daan.d1.masking.words import tokens
from mcp_daan.errors import Refused

# What a PRAGMA may tell of secrets, and in which place.
PRAGMA_COLUMNS = {"table_info": ("dflt_value", 4), "table_xinfo": ("dflt_value", 4), "foreign_key_check": ("rowid", 1)}


def result_masks(connection: apsw.Connection, sql: str, secrets: Secrets) -> Masks:
    """Judge the one statement in *sql* without running it.

    Refused where no result column can be told apart from a secret; apsw's own errors where the engine or the
    connection's authorizer does not accept the statement.
    """
    prepared, catalog = prepare(connection, sql, secrets), read_catalog(connection)
    if runs_as_it_is(sql, prepared, catalog, secrets):
        return Masks((False,) * prepared.width, (), sql)
    if shows_no_rows(sql, prepared):
        return Masks(_told(sql, prepared, secrets), (), sql)
    tracer = Tracer(connection, catalog, secrets)
    outcome = _traced(tracer, prepared, sql)
    masks = tuple(bool(column.draws) for column in outcome.columns)
    statement = _in_open_order(tracer, sql)
    return Masks(masks, tuple(sorted(".".join(secret) for secret in outcome.elsewhere)), statement)


def in_open_order(connection: apsw.Connection, sql: str, secrets: Secrets) -> str:
    """The same in words that keep to no order of a secret, whatever a planner elsewhere chooses; Refused if none do."""
    tracer = Tracer(connection, read_catalog(connection), secrets)
    _traced(tracer, prepare(connection, sql, secrets), sql)
    return _reworded(tracer, sql)


def _told(sql: str, prepared: Prepared, secrets: Secrets) -> tuple[bool, ...]:
    """The masks of a PRAGMA or EXPLAIN, which show no rows but can show literals of the schema."""
    words = tokens(sql)
    if (
        words[0].word == "EXPLAIN"
        and words[1].word != "QUERY"
        and (SCHEMA_TEXT in secrets or not DEFAULTS.isdisjoint(secrets))
    ):
        raise Refused(
            "The program of the statement could show what the schema says of a secret.",
            advice="Use EXPLAIN QUERY PLAN.",
        )
    name = words[3 if words[2:] and words[2].word == "." else 1].name if words[0].word == "PRAGMA" else ""
    column, hidden = PRAGMA_COLUMNS.get(name, ("", -1))
    hides = (f"pragma_{name}", column) in secrets
    return tuple(hides and place == hidden for place in range(prepared.width))


def _traced(tracer: Tracer, prepared: Prepared, sql: str) -> Outcome:
    read = prepared.reads & tracer.secrets
    try:
        outcome = tracer.select(read_statement(sql))
    except Unreadable as error:
        raise _unclear(read) from error
    if len(outcome.columns) != prepared.width or not read <= tracer.seen:
        raise _unclear(read)
    return outcome


def _in_open_order(tracer: Tracer, sql: str) -> str:
    """*sql*, or the same in other words if its rows would come in the order of a secret."""
    connection, catalog, secrets = tracer.connection, tracer.catalog, tracer.secrets
    indexed, kept = tables_in_secret_order(catalog, secrets)
    tables = tracer.viewed | {source.relation.name for source in tracer.sources.values()}
    walks = not tables.isdisjoint(indexed) and walks_secret_index(connection, sql, catalog, secrets)
    return sql if not walks and tables.isdisjoint(kept) else _reworded(tracer, sql)


def _reworded(tracer: Tracer, sql: str) -> str:
    connection, catalog, secrets = tracer.connection, tracer.catalog, tracer.secrets
    statement = reworded(tracer, sql, tracer.sources.values())
    try:
        # A CTE with the name of what a view reads would take its place there.
        told = not tracer.ctes.isdisjoint(tracer.viewed) or walks_secret_index(connection, statement, catalog, secrets)
    except (apsw.SQLError, apsw.TooBigError):
        told = True  # It asks for what the other words do not give, an index by name for example.
    if told:
        raise Refused(
            "The rows would come in the order of a secret.",
            advice="Name the columns you need plainly, without rowid, INDEXED BY or the name of the schema.",
        )
    return statement


def _unclear(secrets: Secrets) -> Refused:
    return Refused(
        f"It cannot be told which result columns draw on {named(secrets) or 'a secret column'}.",
        advice="Write it as a plain SELECT of the columns you need, without the secret ones.",
    )
