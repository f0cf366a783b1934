"""Whether a statement has to do with a secret at all; most do not, and need no lineage."""

import re
from typing import NamedTuple

from mcp_daan.d1.masking.catalog import Catalog, Secrets
from mcp_daan.d1.masking.probe import Prepared
from mcp_daan.d1.masking.secrets import tables_in_secret_order
from mcp_daan.d1.masking.words import first_word

_UNTOLD = re.compile(r"\b(?:natural|using)\b", re.IGNORECASE)


class Masks(NamedTuple):
    """Per result column whether it draws on a secret, and the secrets ("table.column") used outside of them.

    *statement* is what to run: the statement itself, or the same in words that do not give its rows in the order of
    a secret. It takes the same parameters.
    """

    columns: tuple[bool, ...]
    elsewhere: tuple[str, ...]
    statement: str


def runs_as_it_is(sql: str, prepared: Prepared, catalog: Catalog, secrets: Secrets) -> bool:
    """Whether *sql* has to do with no secret at all, so that `result_masks` would mask no column and change no word."""
    if not secrets:
        return True
    if shows_no_rows(sql, prepared) or _has_untold(prepared, catalog, sql):
        return False
    return not _involved(prepared, catalog, secrets)


def shows_no_rows(sql: str, prepared: Prepared) -> bool:
    """Whether *sql* is an EXPLAIN or a PRAGMA."""
    # To list tables, the engine compiles every view: that reads nothing.
    return prepared.explains or first_word(sql) == "PRAGMA"


def _has_untold(prepared: Prepared, catalog: Catalog, sql: str) -> bool:
    """Whether NATURAL or USING may compare columns, and the engine tells of neither column nor table."""
    touched = [catalog.relations[name] for name in prepared.tables if name in catalog.relations]
    return any(_UNTOLD.search(text) for text in [sql, *(each.sql for each in touched if each.kind == "view")])


def _involved(prepared: Prepared, catalog: Catalog, secrets: Secrets) -> bool:
    """Whether a secret is read, or lies under a virtual table or an order of rows."""
    if not prepared.reads.isdisjoint(secrets):
        return True
    virtual = {name for name in prepared.tables if name in catalog.relations and catalog.relations[name].module}
    if virtual and any(table in virtual for table, _ in secrets):
        return True
    indexed, kept = tables_in_secret_order(catalog, secrets)
    return not prepared.tables.isdisjoint(indexed | kept)
