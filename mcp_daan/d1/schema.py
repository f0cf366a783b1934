"""The tables, columns and indexes of a D1 database."""

from collections.abc import Iterable
from typing import Any, Literal

import apsw
from pydantic import Field

from mcp_daan.d1.databases import Database, local_file
from mcp_daan.d1.ddl import EMPTY_DEFAULTS, index_text, without_literals
from mcp_daan.d1.guard import internal
from mcp_daan.d1.masking.catalog import quoted, read_catalog
from mcp_daan.d1.masking.lineage import result_masks
from mcp_daan.d1.masking.secrets import secret_columns, secret_indexes
from mcp_daan.d1.reading import reading
from mcp_daan.d1.values import MASK
from mcp_daan.errors import Refused
from mcp_daan.protocol import Model

Kind = Literal["table", "view", "virtual"]


class Reference(Model):
    """The column that a foreign key points to; without `column` the other table's primary key."""

    table: str
    column: str | None
    on_delete: str


class Column(Model):
    """One column; a secret one is always shown as `***` by `d1_query`, and its default is not shown."""

    name: str
    type: str
    not_null: bool
    default: str | None
    primary_key: bool
    references: Reference | None = None
    secret: bool


class Index(Model):
    """One index; an expression stands in `columns` as it is written."""

    name: str
    unique: bool
    columns: list[str]
    where: str | None = None


class Table(Model):
    """A table, a view, or a virtual table (full-text search, R*Tree); `rows` and `sql` in full detail only."""

    name: str
    kind: Kind
    rows: int | None = None
    columns: list[Column] = Field(default_factory=list)
    indexes: list[Index] = Field(default_factory=list)
    sql: str | None = None


class Schema:
    """What reads the schema over one connection."""

    def __init__(self, connection: apsw.Connection, patterns: Iterable[str]) -> None:
        self._connection = connection
        self._secrets = secret_columns(connection, tuple(patterns))
        catalog = read_catalog(connection)
        self._secret_indexes = {index.name for index in secret_indexes(catalog, self._secrets)}
        self._secret_names = {column for _, column in self._secrets}

    def tables(self) -> list[Table]:
        """Every table of the team's own, in order of creation."""
        kinds = {name: kind for _, name, kind, *_ in self._rows("PRAGMA main.table_list")}
        rows = self._rows("SELECT name, sql FROM sqlite_schema WHERE type IN ('table', 'view') ORDER BY rowid")
        return [
            self._table(name, kinds.get(name, "table"), sql)
            for name, sql in rows
            if not (hidden(name) or kinds.get(name) == "shadow")
        ]

    def count(self, tables: list[Table]) -> None:
        """Fill in `rows`, as far as the connection's deadline reaches."""
        try:
            for table in tables:
                if table.kind == "table":
                    table.rows = self._rows(f"SELECT count(*) FROM {quoted(table.name)}")[0][0]
        except apsw.InterruptError:
            return

    def _table(self, name: str, kind: Kind, sql: str | None) -> Table:
        return Table(
            name=name,
            kind=kind,
            columns=self._columns(name, kind),
            indexes=self._indexes(name) if kind == "table" else [],
            sql=without_literals(sql, self._secret_names) if sql else None,
        )

    def _columns(self, table: str, kind: Kind) -> list[Column]:
        try:
            rows = self._rows(f"PRAGMA main.table_xinfo({quoted(table)})")
            references = self._references(table)
        except (apsw.SQLError, apsw.AuthError):  # a view of a table that is gone, a module that D1 does not have
            return []
        shown = [row for row in rows if row[6] != 1]
        secret = self._secret_in_view(table, len(shown)) if kind == "view" else [False] * len(shown)
        return [
            self._column(row, references.get(row[1]), masked or (table.lower(), row[1].lower()) in self._secrets)
            for row, masked in zip(shown, secret, strict=True)
        ]

    @staticmethod
    def _column(row: tuple[Any, ...], reference: Reference | None, secret: bool) -> Column:
        _, name, declared, not_null, default, key, _ = row
        tells = secret and default is not None and default.upper() not in EMPTY_DEFAULTS
        return Column(
            name=name,
            type=declared,
            not_null=bool(not_null),
            default=MASK if tells else default,
            primary_key=bool(key),
            references=reference,
            secret=secret,
        )

    def _secret_in_view(self, view: str, width: int) -> list[bool]:
        try:
            masks = result_masks(self._connection, f"SELECT * FROM {quoted(view)}", self._secrets).columns
        except (Refused, apsw.Error):
            return [True] * width
        return list(masks) if len(masks) == width else [True] * width

    def _references(self, table: str) -> dict[str, Reference]:
        rows = self._rows(f"PRAGMA main.foreign_key_list({quoted(table)})")
        return {
            here: Reference(table=other, column=there, on_delete=rule) for _, _, other, here, there, _, rule, _ in rows
        }

    def _indexes(self, table: str) -> list[Index]:
        texts = dict(self._rows("SELECT name, sql FROM sqlite_schema WHERE type = 'index'"))
        rows = self._rows(f"PRAGMA main.index_list({quoted(table)})")
        return [self._index(name, bool(unique), texts.get(name)) for _, name, unique, *_ in reversed(rows)]

    def _index(self, name: str, unique: bool, sql: str | None) -> Index:
        text = index_text(sql) if sql else None
        secret = name.lower() in self._secret_indexes
        columns = []
        for place, _, column, _, _, key in self._rows(f"PRAGMA main.index_xinfo({quoted(name)})"):
            if key:
                written = text.columns[place] if text and place < len(text.columns) else ""
                columns.append(column or (MASK if secret else written))
        where = text.where if text else None
        return Index(name=name, unique=unique, columns=columns, where=MASK if secret and where else where)

    def _rows(self, sql: str) -> list[tuple[Any, ...]]:
        return self._connection.execute(sql).fetchall()


def read_schema(database: Database, *, seconds: float, counts: bool = False) -> list[Table]:
    """Every table, view and virtual table with its columns and indexes; with *counts* the tables' rows, in time.

    Cloudflare's and SQLite's own tables are left out. Raises NotFound without a file, Unavailable for a remote one.
    """
    with reading(local_file(database), seconds=seconds) as connection:
        schema = Schema(connection, database.secret_columns)
        tables = schema.tables()
        if counts:
            schema.count(tables)
        return tables


def declared_tables(connection: apsw.Connection, patterns: Iterable[str]) -> list[Table]:
    """The same of a *connection* in which the schema was declared without its rows."""
    return Schema(connection, patterns).tables()


def hidden(name: str) -> bool:
    """Whether a table called *name* is SQLite's or Cloudflare's own."""
    return internal(name) or name.lower().startswith("sqlite_")
