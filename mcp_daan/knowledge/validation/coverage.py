"""How much of the databases the documents tell, and how much of what they tell holds."""

from collections.abc import Iterator, Mapping, Sequence

from mcp_daan.knowledge.validation.claims.said import Claims
from mcp_daan.knowledge.validation.drift import Comparison, Schema
from mcp_daan.protocol import Model


class Coverage(Model):
    """`percent` of the tables and columns are described; of the statements so many are right, wrong or unchecked.

    A column counts where its table is described and any document names it; what could not be read is never right.
    """

    percent: float
    tables: int
    tables_described: int
    columns: int
    columns_described: int
    statements: int
    right: int
    wrong: int
    unchecked: int


def coverage(said: Mapping[str, Claims], schemas: Sequence[Schema]) -> Coverage | None:
    """How much of *schemas* is *said* by the documents; None without a table."""
    comparison = Comparison(said, schemas)
    tables = {name: places[0][1] for name, places in comparison.places.items()}
    if not tables:
        return None
    described = tables.keys() & comparison.described()
    columns = [(name, column.name.lower()) for name, table in tables.items() for column in table.columns]
    told = {name: comparison.told(name) for name in described}
    named = sum(column in told.get(name, ()) for name, column in columns)
    stated = {(path, *each) for path, claims in said.items() for each in _statements(claims)}
    wrong = sum(_wrong(comparison, path, claims) for path, claims in said.items())
    unchecked = sum(len(claims.unread) for claims in said.values())
    return Coverage(
        percent=round(100 * (len(described) + named) / (len(tables) + len(columns)), 1),
        tables=len(tables),
        tables_described=len(described),
        columns=len(columns),
        columns_described=named,
        statements=len(stated) + unchecked,
        right=max(len(stated) - wrong, 0),
        wrong=min(wrong, len(stated)),
        unchecked=unchecked,
    )


def _wrong(comparison: Comparison, path: str, claims: Claims) -> int:
    checks = (comparison.tables, comparison.columns, comparison.indexes)
    return sum(1 for check in checks for _ in check(path, claims))


def _statements(claims: Claims) -> Iterator[tuple[str, ...]]:
    """What is said, each once: tables, columns, indexes."""
    yield from (("table", each.name.lower()) for each in claims.tables)
    yield from (("column", each.table.lower(), each.name.lower()) for each in claims.columns)
    yield from (("index", (each.name or "").lower(), *each.columns) for each in claims.indexes)
