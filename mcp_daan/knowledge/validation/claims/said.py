"""What one document says about a database: tables, columns with their types, indexes, each with its line."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from mcp_daan.knowledge.validation.passages import Block
from mcp_daan.knowledge.validation.replay import is_own


@dataclass(frozen=True)
class TableClaim:
    """The document says that there is such a table; `place` is the text of its headings, which may name a database.

    `loose` is set where names are drawn rather than written, as in a diagram (USER for users).
    """

    name: str
    line: int
    place: str = ""
    loose: bool = False


@dataclass(frozen=True)
class ColumnClaim:
    """The document says that the table has such a column, and of which type if it says so."""

    table: str
    name: str
    line: int
    type: str | None = None


@dataclass(frozen=True)
class IndexClaim:
    """The document says that there is such an index: by name, or by table and columns, or by all of these."""

    name: str | None
    table: str | None
    columns: tuple[str, ...]
    line: int


@dataclass(frozen=True)
class Unread:
    """A place that looks like a statement about a schema and could not be read as one."""

    line: int
    what: str


@dataclass
class Claims:
    """What one document says. Names in its sets are in small letters.

    `listed`: tables whose columns are told one by one, so that a missing one is missed; not those `unfinished`.
    `aside`: tables told of in a part that is set aside. `mentioned`: (table, word in code) beside the table.
    """

    tables: list[TableClaim] = field(default_factory=list)
    columns: list[ColumnClaim] = field(default_factory=list)
    indexes: list[IndexClaim] = field(default_factory=list)
    unread: list[Unread] = field(default_factory=list)
    listed: set[str] = field(default_factory=set)
    unfinished: set[str] = field(default_factory=set)
    aside: set[str] = field(default_factory=set)
    mentioned: set[tuple[str, str]] = field(default_factory=set)

    def table(self, name: str, line: int, block: Block, *, loose: bool = False) -> None:
        """*block* says that there is a table *name*."""
        if not is_own(name):
            place = " / ".join(heading.plain for heading in block.headings)
            self.tables.append(TableClaim(name, line, place, loose))

    def columns_of(self, table: str, columns: Iterable[tuple[str, str | None, int]]) -> None:
        """The columns of *table* are these, as (name, type, line)."""
        found = [ColumnClaim(table, name, line, kind) for name, kind, line in columns]
        if found and not is_own(table):
            self.columns += found
            self.listed.add(table.lower())

    def not_read(self, line: int, what: str) -> None:
        """*what* stands at *line*."""
        self.unread.append(Unread(line, what))
