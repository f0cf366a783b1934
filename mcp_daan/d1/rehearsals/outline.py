"""What a schema consists of, and how two differ, in a line each."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import apsw

from mcp_daan.d1.guard import internal, shown
from mcp_daan.d1.masking.catalog import quoted
from mcp_daan.d1.masking.words import tokens

# How many columns of a new table its line names.
COLUMNS = 12


@dataclass(frozen=True)
class Column:
    """A column; its default is compared and never shown."""

    name: str
    type: str
    not_null: bool
    default: str | None
    key: bool

    def __str__(self) -> str:
        marks = ["PRIMARY KEY"] * self.key + ["NOT NULL"] * self.not_null + ["DEFAULT"] * (self.default is not None)
        return " ".join([shown(self.type)] * bool(self.type) + marks)


@dataclass
class Table:
    """A table or view: its columns by lower-case name, foreign keys and UNIQUE in words, its text without spelling."""

    name: str
    kind: str
    columns: dict[str, Column]
    rules: set[str]
    text: tuple[str, ...]


@dataclass
class Outline:
    """A schema without Cloudflare's, SQLite's and wrangler's own tables; *others* are indexes and triggers."""

    tables: dict[str, Table] = field(default_factory=dict)
    others: dict[tuple[str, str], tuple[str, str, tuple[str, ...]]] = field(default_factory=dict)


@dataclass
class Renamed:
    """What a migration renamed: old to new table names, (table as it is now, old column) to new column names."""

    tables: dict[str, str] = field(default_factory=dict)
    columns: dict[tuple[str, str], str] = field(default_factory=dict)

    def note(self, sql: str) -> None:
        """Learn from one statement that ran."""
        words = [token for token in tokens(sql[:2000]) if token.kind != "end"]
        if [token.word for token in words[:2]] != ["ALTER", "TABLE"]:
            return
        words = words[2:] if len(words) < 4 or words[3].word != "." else words[4:]
        names = [token.name for token in words]
        rest = [token.word for token in words[1:]]
        if rest[:2] == ["RENAME", "TO"] and len(names) > 3:
            self._table(names[0], names[3])
        elif rest[:1] == ["RENAME"] and "TO" in rest:
            to = rest.index("TO") + 1
            self._column(names[0], names[to - 1], names[to + 1])

    def _table(self, old: str, new: str) -> None:
        first = next((was for was, now in self.tables.items() if now == old), old)
        self.tables[first] = new
        self.columns = {(new if t == old else t, column): name for (t, column), name in self.columns.items()}

    def _column(self, table: str, old: str, new: str) -> None:
        first = next((c for (t, c), now in self.columns.items() if (t, now) == (table, old)), old)
        self.columns[table, first] = new


def renames(sql: str) -> Renamed:
    """What one statement renames."""
    found = Renamed()
    found.note(sql)
    return found


def outline(connection: apsw.Connection, passed_over: str) -> Outline:
    """The schema of *connection* without the table *passed_over*."""
    found = Outline()
    kinds = {name: kind for _, name, kind, *_ in _rows(connection, "PRAGMA main.table_list")}
    rows = _rows(connection, "SELECT type, name, tbl_name, sql FROM main.sqlite_schema ORDER BY rowid")
    for kind, name, table, sql in rows:
        if sql is None or _own(name) or _own(table) or passed_over.lower() in (name.lower(), table.lower()):
            continue
        if kind in ("table", "view"):
            if kinds.get(name) != "shadow":
                found.tables[name.lower()] = _table(connection, name, kinds.get(name, kind), sql)
            continue
        # Without the table's name, which may have changed alone.
        found.others[kind, name.lower()] = (name, table, tuple(w for w in _text(sql) if w != table.lower()))
    return found


def differences(before: Outline, after: Outline, renamed: Renamed) -> Iterator[str]:
    """What came, went or changed from *before* to *after*."""
    now = {_now(name, after, renamed): table for name, table in before.tables.items()}
    for name, table in now.items():
        if name not in after.tables:
            yield f"removed {table.kind} {shown(table.name)}"
    for name, table in after.tables.items():
        if name not in now:
            names = [shown(column.name) for column in table.columns.values()]
            more = f" and {len(names) - COLUMNS} more" if len(names) > COLUMNS else ""
            yield f"added {table.kind} {shown(table.name)} ({', '.join(names[:COLUMNS])}{more})"
        else:
            yield from _changed(now[name], table, renamed)
    yield from _others(before.others, after.others)


def removed_columns(before: Outline, after: Outline, renamed: Renamed) -> list[tuple[str, str]]:
    """The (table, column) pairs, by their old names, of tables that stay and columns that go."""
    return [
        (old.name, column.name)
        for name, old in before.tables.items()
        if old.kind == "table" and (new := after.tables.get(_now(name, after, renamed)))
        for key, column in old.columns.items()
        if renamed.columns.get((new.name.lower(), key), key) not in new.columns
    ]


def _now(name: str, after: Outline, renamed: Renamed) -> str:
    """What the table *name* is called afterwards: a table made anew under the old name is still that table."""
    return name if name in after.tables else renamed.tables.get(name, name)


def _changed(old: Table, new: Table, renamed: Renamed) -> Iterator[str]:
    name = shown(new.name)
    if old.name.lower() != new.name.lower():
        yield f"renamed table {shown(old.name)} to {name}"
    lines = list(_column_changes(old, new, renamed))
    lines += [f"removed of {name}: {each}" for each in sorted(old.rules - new.rules)]
    lines += [f"added to {name}: {each}" for each in sorted(new.rules - old.rules)]
    if not lines and old.text[3:] != new.text[3:]:
        lines = [f"changed {new.kind} {name}: its definition, as a constraint, an option or the order of columns"]
    yield from lines


def _column_changes(old: Table, new: Table, renamed: Renamed) -> Iterator[str]:
    name = shown(new.name)
    now = {renamed.columns.get((new.name.lower(), key), key): column for key, column in old.columns.items()}
    for key, column in now.items():
        if key not in new.columns:
            yield f"removed column {name}.{shown(column.name)}"
    for key, column in new.columns.items():
        was = now.get(key)
        if was is None:
            yield f"added column {name}.{shown(column.name)} {column}".rstrip()
            continue
        if was.name.lower() != key:
            yield f"renamed column {name}.{shown(was.name)} to {shown(column.name)}"
        if str(was) != str(column):
            yield f"changed column {name}.{shown(column.name)}: from {str(was) or 'no type'} to {str(column) or 'no type'}"
        elif was.default != column.default:
            yield f"changed column {name}.{shown(column.name)}: its default"


def _others(
    before: Mapping[tuple[str, str], tuple[str, str, tuple[str, ...]]],
    after: Mapping[tuple[str, str], tuple[str, str, tuple[str, ...]]],
) -> Iterator[str]:
    for key, (name, table, _) in before.items():
        if key not in after:
            yield f"removed {key[0]} {shown(name)} on {shown(table)}"
    for key, (name, table, text) in after.items():
        if key not in before:
            yield f"added {key[0]} {shown(name)} on {shown(table)}"
        elif before[key][2] != text:
            yield f"changed {key[0]} {shown(name)} on {shown(table)}"


def _table(connection: apsw.Connection, name: str, kind: str, sql: str) -> Table:
    try:
        rows = _rows(connection, f"PRAGMA main.table_xinfo({quoted(name)})")
        keys = _rows(connection, f"PRAGMA main.foreign_key_list({quoted(name)})")
    except (apsw.SQLError, apsw.AuthError):  # a view of what is gone, a module that D1 does not have
        rows, keys = [], []
    columns = {
        column.lower(): Column(column, declared.upper(), bool(not_null), default, bool(key))
        for _, column, declared, not_null, default, key, hidden in rows
        if hidden != 1
    }
    rules = {
        f"foreign key {shown(here)} to {shown(other)}, on delete {rule.lower()}"
        for _, _, other, here, _, _, rule, _ in keys
    }
    return Table(name, kind, columns, rules | _unique(connection, name), _text(sql))


def _unique(connection: apsw.Connection, table: str) -> set[str]:
    """The UNIQUE constraints of *table*; unique indexes have names of their own."""
    found = set()
    for _, index, _, origin, _ in _rows(connection, f"PRAGMA main.index_list({quoted(table)})"):
        if origin == "u":
            columns = _rows(connection, f"PRAGMA main.index_info({quoted(index)})")
            found.add(f"unique {', '.join(shown(column or '') for _, _, column in columns)}")
    return found


def _rows(connection: apsw.Connection, sql: str) -> list[tuple[Any, ...]]:
    return connection.execute(sql).fetchall()


def _text(sql: str) -> tuple[str, ...]:
    return tuple(token.name or token.word or sql[token.start : token.end] for token in tokens(sql))


def _own(name: str) -> bool:
    return internal(name) or name.lower().startswith("sqlite_")
