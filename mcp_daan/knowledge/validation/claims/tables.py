"""What markdown tables say: of columns, of tables, of indexes."""

import re
from collections.abc import Iterable, Iterator

from mcp_daan.knowledge.validation.claims.column_types import read_type
from mcp_daan.knowledge.validation.claims.said import Claims, IndexClaim
from mcp_daan.knowledge.validation.claims.subjects import Subject, cell_names, ends_open
from mcp_daan.knowledge.validation.passages import Block, Prose

# What stands in the head of a column, English and Dutch.
_HEADS = {
    "table": "table tabel tablename tabelnaam view",
    "column": "column kolom columnname kolomnaam",
    "field": "veld veldnaam field fieldname attribute attribuut",
    "name": "name naam",
    "type": "type datatype gegevenstype sqltype sqlitetype columntype kolomtype",
    "index": "index indexname indexnaam",
    "columns": "columns kolommen velden fields on op",
}
_HEAD = {word: kind for kind, words in _HEADS.items() for word in words.split()}


def read_table(block: Block, subject: Subject | None, claims: Claims) -> None:
    """Add to *claims* what the table *block*, about *subject*, says."""
    heads = [_HEAD.get(re.sub(r"[^a-z]", "", cell.plain.lower()), "") for cell in block.rows[0]]
    at = {kind: heads.index(kind) for kind in heads if kind}
    named = next((kind for kind in ("column", "field", "name") if kind in at), None)
    if "index" in at:
        _indexes(block, at, subject, claims)
    elif "table" in at and named and (named == "column" or "type" in at):
        _columns_of_all(block, at, named, claims)
    elif "table" in at:
        _tables(block, at, claims)
    elif named and (named == "column" or "type" in at or (named == "field" and subject is not None)):
        _columns(block, at, named, subject, claims)


def _columns(block: Block, at: dict[str, int], named: str, subject: Subject | None, claims: Claims) -> None:
    rows = block.rows[1:]
    types = [kind for row in rows if "type" in at and (kind := read_type(row[at["type"]].plain))]
    typed = len(types) * 2 >= max(len(rows), 1)
    # "Name | Type" may head a list of anything; "Column | Type" is about a table, and so is INTEGER in capitals.
    convincing = typed and (named == "column" or sum(kind.isupper() for kind in types) * 2 >= len(types) > 0)
    likely = subject is not None and subject.likely and (named == "column" or (named == "field" and typed))
    if subject is None or not (subject.certain or convincing or likely):
        if convincing:
            claims.not_read(block.rows[0][0].line, "a list of columns, but no heading names its table")
        return
    if not subject.certain:
        claims.table(subject.name, subject.line, block)
    claims.columns_of(subject.name, _rows(rows, at, named, subject.name, claims))


def _rows(
    rows: Iterable[tuple[Prose, ...]], at: dict[str, int], named: str, table: str, claims: Claims
) -> Iterator[tuple[str, str | None, int]]:
    for row in rows:
        cell = row[at[named]]
        names = cell_names(cell)
        if ends_open(cell):
            claims.unfinished.add(table.lower())
        elif not names and cell.plain.strip():
            claims.not_read(cell.line, f"a row of the columns of `{table}` whose name is no name")
        stated = row[at["type"]].plain if "type" in at else ""
        kind = read_type(stated)
        if kind is None and names and re.search(r"\w", stated):
            claims.not_read(cell.line, f"the type of `{table}.{names[0]}`, which is no type that is known here")
        yield from ((name, kind, cell.line) for name in names)


def _columns_of_all(block: Block, at: dict[str, int], named: str, claims: Claims) -> None:
    """One table of all columns, which names the table in each row, or only where it changes."""
    table = ""
    for row in block.rows[1:]:
        tables = cell_names(row[at["table"]])
        if tables and tables[0] != table:
            table = tables[0]
            claims.table(table, row[0].line, block)
        if table:
            claims.columns_of(table, _rows([row], at, named, table, claims))


def _tables(block: Block, at: dict[str, int], claims: Claims) -> None:
    for row in block.rows[1:]:
        for table in cell_names(row[at["table"]]):
            claims.table(table, row[0].line, block)
            if "columns" in at:
                cell = row[at["columns"]]
                claims.columns_of(table, ((name, None, cell.line) for name in cell_names(cell)))


def _indexes(block: Block, at: dict[str, int], subject: Subject | None, claims: Claims) -> None:
    for row in block.rows[1:]:
        tables = cell_names(row[at["table"]]) if "table" in at else []
        table = tables[0] if tables else subject.name if subject else None
        place = at.get("columns", at.get("column", at.get("field")))
        columns = tuple(cell_names(row[place])) if place is not None else ()
        for name in cell_names(row[at["index"]]):
            claims.indexes.append(IndexClaim(name, table, columns, row[0].line))
