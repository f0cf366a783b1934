"""A database under examination, and what a check finds."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import apsw

from mcp_daan.d1.guard import internal
from mcp_daan.d1.masking.catalog import Catalog, Secrets, quoted, read_catalog
from mcp_daan.d1.masking.secrets import secret_columns

ITEMS = 20
Severity = Literal["info", "warning", "error"]
Row = tuple[Any, ...]


@dataclass
class Finding:
    """What a check found: a sentence, and up to twenty places; `ok` where there is nothing to mend."""

    message: str
    severity: Severity = "info"
    ok: bool = True
    items: list[dict[str, Any]] = field(default_factory=list)


@dataclass
class Examined:
    """One state of a database file, its schema and its secrets; *found* is what the running check has so far."""

    connection: apsw.Connection
    patterns: Sequence[str]
    migrations_table: str
    deep: bool
    found: list[dict[str, Any]] = field(default_factory=list)
    catalog: Catalog = field(init=False)
    secrets: Secrets = field(init=False)

    def __post_init__(self) -> None:
        self.catalog = read_catalog(self.connection)
        self.secrets = secret_columns(self.connection, tuple(self.patterns))

    def rows(self, sql: str, *values: str) -> list[Row]:
        """The rows of a statement of ours."""
        return self.connection.execute(sql, values).fetchall()

    @property
    def tables(self) -> Iterator[str]:
        """The team's own ordinary tables."""
        for _, name, kind, *_ in self.rows("PRAGMA main.table_list"):
            own = internal(name) or name.lower().startswith("sqlite_") or name == self.migrations_table
            if kind == "table" and not own:
                yield name

    def columns(self, table: str) -> list[Row]:
        """(name, declared type, place in the primary key) of each column of *table* that is stored or generated."""
        return [
            (name, declared, key)
            for _, name, declared, _, _, key, hidden in self.rows(f"PRAGMA main.table_xinfo({quoted(table)})")
            if hidden != 1
        ]

    def open_columns(self, table: str) -> list[str]:
        """The columns of *table* that hold no secret; of the others nothing is measured."""
        return [name for name, *_ in self.columns(table) if (table.lower(), name.lower()) not in self.secrets]

    def references(self, table: str) -> list[tuple[str, tuple[str, ...], tuple[str | None, ...]]]:
        """(parent, columns here, columns there) of each foreign key of *table*."""
        keys: dict[int, list[Row]] = {}
        for row in self.rows(f"PRAGMA main.foreign_key_list({quoted(table)})"):
            keys.setdefault(row[0], []).append(row)
        return [
            (parts[0][2], tuple(part[3] for part in parts), tuple(part[4] for part in parts)) for parts in keys.values()
        ]
