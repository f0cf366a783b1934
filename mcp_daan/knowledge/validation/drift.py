"""What the documents say about the databases, held against what is."""

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from mcp_daan.knowledge.validation.claims.column_types import agree
from mcp_daan.knowledge.validation.claims.said import Claims, ColumnClaim, IndexClaim, TableClaim
from mcp_daan.knowledge.validation.findings import UNTIL_APPLIED, Finding, finding
from mcp_daan.knowledge.validation.mending import Mend
from mcp_daan.knowledge.validation.replay import Column, Table

# Lines between two columns of one list.
_GAP = 6
_ROW_IDS = {"rowid", "oid", "_rowid_"}


@dataclass(frozen=True)
class Schema:
    """The tables of one database, as its file has them or, without a file, as its migrations give them.

    `coming` are the tables as they will be once every migration is applied.
    """

    database: str
    source: Literal["file", "migrations"]
    tables: tuple[Table, ...]
    coming: tuple[Table, ...] = ()


def drift(said: Mapping[str, Claims], schemas: Sequence[Schema], *, main: str) -> list[Finding]:
    """What in the documents, *said* by path, differs from the *schemas*.

    *main* is the document that has to describe every table; without schemas nothing can be told.
    """
    if not schemas:
        return [_nothing_to_hold_against(path, claims) for path, claims in said.items() if _speaks(claims)]
    comparison = Comparison(said, schemas)
    found: list[Finding] = []
    for path, claims in said.items():
        found += comparison.tables(path, claims)
        found += comparison.columns(path, claims)
        found += comparison.indexes(path, claims)
        found += (
            finding("unchecked", path, f"This could not be checked: {each.what}.", line=each.line, component="d1")
            for each in claims.unread
        )
    if main in said:
        found += comparison.undocumented_tables(main)
        found += comparison.undocumented_columns(main)
    return found


def _speaks(claims: Claims) -> bool:
    return bool(claims.tables or claims.columns or claims.indexes or claims.unread)


def _nothing_to_hold_against(path: str, claims: Claims) -> Finding:
    count = len(claims.tables) + len(claims.columns) + len(claims.indexes) + len(claims.unread)
    lines = [each.line for group in (claims.tables, claims.columns, claims.indexes, claims.unread) for each in group]
    return finding(
        "unchecked",
        path,
        f"{count} statements about tables, columns and indexes could not be checked: there is no database to hold them against.",
        line=min(lines),
        component="d1",
    )


class Comparison:
    """What the documents say beside what is."""

    def __init__(self, said: Mapping[str, Claims], schemas: Sequence[Schema]) -> None:
        self._said = said
        self._schemas = schemas
        self._meant: dict[str, set[str]] = {}
        self.places: dict[str, list[tuple[Schema, Table]]] = {}
        for schema in schemas:
            for table in schema.tables:
                self.places.setdefault(table.name.lower(), []).append((schema, table))
        self._coming = {
            table.name.lower(): table for schema in schemas for table in schema.coming if schema.source == "file"
        }

    def tables(self, path: str, claims: Claims) -> Iterator[Finding]:
        """The tables that are described and not there."""
        seen: set[str] = set()
        for claim in sorted(claims.tables, key=lambda claim: claim.line):
            if claim.name.lower() in seen or self._found(claim):
                continue
            seen.add(claim.name.lower())
            awaited = claim.name.lower() in self._coming
            near = None if awaited else _close(claim.name, (t.name for t in self._all()))
            yield finding(
                "table_missing",
                path,
                f"Table `{claim.name}` is described here, but {self._where()} has no such table"
                + (" yet: a pending migration makes it." if awaited else "."),
                line=claim.line,
                found=f"table {claim.name}",
                expected=f"no table {claim.name}",
                suggestion=near,
                component="d1",
                severity=UNTIL_APPLIED if awaited else None,
                mend=None if awaited else _instead(claim.name, near),
            )

    def columns(self, path: str, claims: Claims) -> Iterator[Finding]:
        """The columns that are described and not there, or there with another type."""
        seen: set[tuple[str, str]] = set()
        drawn = {claim.name for claim in claims.tables if claim.loose}
        for claim in sorted(claims.columns, key=lambda claim: (claim.line, claim.type is None)):
            tables = self._named(claim.table, loose=claim.table in drawn)
            if not tables or any(not table.columns for _, table in tables):
                continue  # the missing table is told already; of a broken view nobody knows the columns
            key = (claim.table.lower(), claim.name.lower())
            columns = [(schema, table, column) for schema, table in tables for column in _called(table, claim.name)]
            if not columns:
                if key not in seen and claim.name.lower() not in _ROW_IDS:
                    yield self._missing_column(path, claim, tables)
                seen.add(key)
            elif claim.type is not None and not any(_agrees(claim.type, table, column) for _, table, column in columns):
                schema, _, column = columns[0]
                yield finding(
                    "column_type_differs",
                    path,
                    f"`{claim.table}.{claim.name}` is described as {claim.type}; in {_source(schema)} it is"
                    f" {column.type or 'of no type'}.",
                    line=claim.line,
                    found=claim.type,
                    expected=column.type or "no type",
                    suggestion=column.type or None,
                    component="d1",
                    mend=Mend("swap", claim.type, column.type, claim.name),
                )

    def indexes(self, path: str, claims: Claims) -> Iterator[Finding]:
        """The indexes that are described and not there, or there on other columns."""
        seen: set[str] = set()
        for claim in sorted(claims.indexes, key=lambda claim: (claim.line, not claim.columns)):
            name = (claim.name or "").lower()
            if claim.table is not None and not self._named(claim.table):
                continue  # the missing table is told already
            same = [(table, index) for table in self._all() for index in table.indexes if index.name.lower() == name]
            columns = tuple(column.lower() for column in claim.columns)
            if not same and name not in seen and not self._covers(claim):
                twin = self._twin(claim) or _close(name, (index.name for t in self._all() for index in t.indexes))
                message = f"Index `{claim.name}` is described here, but {self._where()} has no such index."
                yield finding(
                    "index_missing",
                    path,
                    message,
                    line=claim.line,
                    found=f"index {claim.name}" + (f" ({', '.join(claim.columns)})" if columns else ""),
                    expected=f"no index {claim.name}",
                    suggestion=twin,
                    component="d1",
                    mend=_instead(claim.name or "", twin),
                )
            elif same and columns and not any(_lower(index.columns) == columns for _, index in same):
                held = ", ".join(column or "an expression" for column in same[0][1].columns)
                said = ", ".join(claim.columns)
                message = f"Index `{claim.name}` is described on ({said}), but it is on ({held})."
                yield finding(
                    "index_missing",
                    path,
                    message,
                    line=claim.line,
                    found=f"({said})",
                    expected=f"({held})",
                    component="d1",
                    mend=Mend("swap", said, held, claim.name or ""),
                )
            seen.add(name)

    def undocumented_tables(self, main: str) -> Iterator[Finding]:
        """The tables that no document describes."""
        described = self.described()
        for name, places in sorted(self.places.items()):
            if name not in described:
                schema, table = places[0]
                kind = "View" if table.kind == "view" else "Table"
                message = f"{kind} `{table.name}` of {_source(schema)} is described in no document."
                yield finding(
                    "table_undocumented",
                    main,
                    message,
                    line=1,
                    found="no description",
                    expected=f"{kind.lower()} {table.name}",
                    component="d1",
                    mend=Mend("append", new=section_of(table)),
                )

    def described(self) -> set[str]:
        """The tables that any document describes, in small letters."""
        found = {
            table.name.lower() for claims in self._said.values() for c in claims.tables for _, table in self._found(c)
        }
        for claims in self._said.values():
            found |= claims.aside | {claim.table.lower() for claim in claims.columns if claim.type is not None}
        return found

    def undocumented_columns(self, main: str) -> Iterator[Finding]:
        """The columns that are left out where the others of their table are listed."""
        for name, places in sorted(self.places.items()):
            listing = self._listing(name, main)
            if listing is None:
                continue
            path, line, told, last = listing
            for schema, table in places:
                for column in table.columns:
                    if column.name.lower() not in told:
                        told.add(column.name.lower())
                        message = f"Column `{table.name}.{column.name}` ({column.type or 'no type'}) of {_source(schema)} is not described here."
                        yield finding(
                            "column_undocumented",
                            path,
                            message,
                            line=line,
                            found="no description",
                            expected=f"column {column.name} {column.type}".rstrip(),
                            component="d1",
                            mend=Mend("column", last.type or "", column.name, last.name, column.type, last.line),
                        )

    def told(self, table: str) -> set[str]:
        """The columns of *table* that any document names."""
        told: set[str] = set()
        for claims in self._said.values():
            told |= {claim.name.lower() for claim in claims.columns if self.means(claim.table, table)}
            told |= {word.rsplit(".", 1)[-1] for name, word in claims.mentioned if self.means(name, table)}
        return told

    def _listing(self, table: str, main: str) -> tuple[str, int, set[str], ColumnClaim] | None:
        """Where *table* is listed: document, line, every column told of anywhere, and the last one there."""
        found: list[tuple[bool, int, str, int, ColumnClaim]] = []
        for path, claims in self._said.items():
            if any(self.means(name, table) for name in claims.unfinished):
                return None
            own = [claim for claim in claims.columns if self.means(claim.table, table)]
            if any(self.means(name, table) for name in claims.listed):
                lines = [claim.line for claim in claims.tables if self.means(claim.name, table)]
                first = min(lines or [claim.line for claim in own])
                found.append((path == main, len(own), path, first, _last_listed(own)))
        if not found:
            return None
        is_main, count, path, line, last = max(found, key=lambda each: each[:4])
        # Another document may tell of a few columns only because it is about these.
        columns = max(len(each.columns) for _, each in self.places[table])
        return (path, line, self.told(table), last) if is_main or count * 2 >= columns else None

    def means(self, written: str, table: str) -> bool:
        """Whether *written* may mean *table*, whose name is in small letters; a diagram's USER means users."""
        low = written.lower()
        if low not in self._meant:
            self._meant[low] = {low} | {each.name.lower() for _, each in self._named(low, loose=True)}
        return table in self._meant[low]

    def _found(self, claim: TableClaim) -> list[tuple[Schema, Table]]:
        """The tables that *claim* means: those of the database that its headings name, else of any."""
        found = self._named(claim.name, loose=claim.loose)
        named = [
            schema
            for schema in self._schemas
            if schema.database.lower() != claim.name.lower()
            and re.search(rf"(?<![\w-]){re.escape(schema.database)}(?![\w-])", claim.place, re.I)
        ]
        return [(schema, table) for schema, table in found if schema in named] if named else found

    def _named(self, name: str, *, loose: bool = False) -> list[tuple[Schema, Table]]:
        written = name.lower()
        forms = [written]
        if loose:
            plain = written.replace("-", "_")
            forms += [plain, f"{plain}s", f"{plain}es", re.sub(r"y$", "ies", plain), plain.removesuffix("s")]
        return next((self.places[form] for form in forms if form in self.places), [])

    def _all(self) -> Iterator[Table]:
        return (table for places in self.places.values() for _, table in places)

    def _where(self) -> str:
        return " nor ".join(_source(schema) for schema in self._schemas) if len(self._schemas) < 4 else "no database"

    def _missing_column(self, path: str, claim: ColumnClaim, tables: list[tuple[Schema, Table]]) -> Finding:
        coming = self._coming.get(tables[0][1].name.lower())
        awaited = coming is not None and bool(list(_called(coming, claim.name)))
        near = None if awaited else _close(claim.name, (c.name for _, table in tables for c in table.columns))
        return finding(
            "column_missing",
            path,
            f"Column `{claim.table}.{claim.name}` is described here, but {_source(tables[0][0])} has no such column"
            + (" yet: a pending migration adds it." if awaited else "."),
            line=claim.line,
            found=f"column {claim.name}",
            expected=f"no column {claim.name}",
            suggestion=near,
            component="d1",
            severity=UNTIL_APPLIED if awaited else None,
            mend=None if awaited else _instead(claim.name, near),
        )

    def _covers(self, claim: IndexClaim) -> bool:
        """Whether a claim that only names a column, as "Index: `email`" does, holds."""
        if claim.table is None or claim.columns or claim.name is None:
            return False
        for _, table in self._named(claim.table):
            keys = [column.name.lower() for column in table.columns if column.primary_key][:1]
            keys += [(index.columns[0] or "").lower() for index in table.indexes if index.columns]
            if claim.name.lower() in keys:
                return True
        return False

    def _twin(self, claim: IndexClaim) -> str | None:
        columns = tuple(column.lower() for column in claim.columns)
        tables = self._named(claim.table) if claim.table else []
        return next((i.name for _, t in tables for i in t.indexes if columns and _lower(i.columns) == columns), None)


def _last_listed(claims: Sequence[ColumnClaim]) -> ColumnClaim:
    """The last of the columns that stand in one list; others are named in texts."""
    in_order = sorted((each for each in claims if each.type is not None), key=lambda each: each.line)
    in_order = in_order or sorted(claims, key=lambda each: each.line)
    last = in_order[0]
    for each in in_order:
        if each.line - last.line > _GAP:
            break
        last = each
    return last


def section_of(table: Table) -> str:
    """A section that describes *table*, as `DATABASE.md` may have it."""
    rows = [f"| `{column.name}` | {column.type or 'ANY'} |" for column in table.columns]
    return "\n".join([f"## Table `{table.name}`", "", "| column | type |", "|---|---|", *rows])


def _instead(name: str, near: str | None) -> Mend:
    """*near* in the place of *name*, if there is one and that mends it; else what says *name* goes."""
    return Mend("swap", name, near, name) if near else Mend("drop", name)


def _agrees(documented: str, table: Table, column: Column) -> bool:
    # The columns of a view or a virtual table have no type of their own.
    return table.kind != "table" or agree(documented, column.type)


def _called(table: Table, name: str) -> Iterator[Column]:
    return (column for column in table.columns if column.name.lower() == name.lower())


def _lower(columns: Iterable[str | None]) -> tuple[str, ...]:
    return tuple((column or "").lower() for column in columns)


def _source(schema: Schema) -> str:
    return schema.database if schema.source == "file" else f"what the migrations of {schema.database} make"


def _close(name: str, names: Iterable[str]) -> str | None:
    by_low = {each.lower(): each for each in names if not each.startswith("sqlite_")}
    close = difflib.get_close_matches(name.lower(), list(by_low), 1, 0.7)
    return by_low[close[0]] if close else None
