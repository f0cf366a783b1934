"""Which result columns of a statement draw on a secret, and which secrets it uses elsewhere.

The engine itself hides every secret value: the guard lets it read NULL instead. Lineage tells which result columns
are therefore not what they seem, so that they show as masked and all others stay readable. The engine is the judge
of it: what it reads and lineage does not see leads to a refusal. Two things the engine does not tell, and lineage
refuses them outright: columns compared by NATURAL or USING, and arguments of table-valued functions.
"""

import re
from dataclasses import dataclass

import apsw

from mcp_daan.d1.catalog import Catalog, Secrets, read_catalog
from mcp_daan.d1.parse import read_statement
from mcp_daan.d1.probe import Prepared, prepare
from mcp_daan.d1.select import Unreadable
from mcp_daan.d1.trace import Tracer, named
from mcp_daan.errors import Refused

_UNTOLD = re.compile(r"\b(?:natural|using)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Masks:
    """Per result column whether it draws on a secret, and the secrets ("table.column") used outside of them."""

    columns: tuple[bool, ...]
    elsewhere: tuple[str, ...] = ()


def result_masks(connection: apsw.Connection, sql: str, secrets: Secrets) -> Masks:
    """Judge the one statement in *sql* without running it.

    Refused where no result column can be told apart from a secret; apsw's own errors where the engine or the
    connection's authorizer does not accept the statement.
    """
    prepared = prepare(connection, sql, secrets)
    catalog = read_catalog(connection)
    if prepared.explains or not _concerns(prepared, catalog, sql, secrets):
        return Masks((False,) * prepared.width)
    tracer = Tracer(connection, catalog, secrets)
    try:
        outcome = tracer.select(read_statement(sql))
    except Unreadable as error:
        raise _unclear(prepared.reads & secrets) from error
    if len(outcome.columns) != prepared.width or not prepared.reads & secrets <= tracer.seen:
        raise _unclear(prepared.reads & secrets)
    masks = tuple(bool(column.draws) for column in outcome.columns)
    return Masks(masks, tuple(sorted(".".join(secret) for secret in outcome.elsewhere)))


def _concerns(prepared: Prepared, catalog: Catalog, sql: str, secrets: Secrets) -> bool:
    """Whether a secret may be involved: read, or compared where the engine does not tell."""
    if not prepared.reads.isdisjoint(secrets):
        return True
    touched = [catalog.relations[name] for name in prepared.tables if name in catalog.relations]
    if _UNTOLD.search(sql) or any(each.kind == "view" and _UNTOLD.search(each.sql) for each in touched):
        return True
    virtual = {each.name for each in touched if each.kind == "virtual"}
    return bool(virtual) and any(table in virtual for table, _ in secrets)


def _unclear(secrets: Secrets) -> Refused:
    return Refused(
        f"It cannot be told which result columns draw on {named(secrets) or 'a secret column'}.",
        advice="Write it as a plain SELECT of the columns you need, without the secret ones.",
    )
