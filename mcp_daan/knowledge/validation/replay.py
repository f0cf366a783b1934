"""The schema that statements give, run in an empty database in memory."""

import re
import time
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass

import apsw

from mcp_daan.scrub import MASK

# What schema statements need, and nothing that reaches a file: ATTACH is what VACUUM INTO uses too.
_ALLOWED = {
    getattr(apsw, f"SQLITE_{name}")
    for name in (
        "SELECT READ INSERT UPDATE DELETE FUNCTION RECURSIVE ALTER_TABLE REINDEX"
        " CREATE_TABLE CREATE_INDEX CREATE_VIEW CREATE_TRIGGER CREATE_VTABLE"
        " DROP_TABLE DROP_INDEX DROP_VIEW DROP_TRIGGER DROP_VTABLE"
    ).split()
}
_MODULES = {"fts5", "fts5vocab", "rtree", "rtree_i32"}
_LIMITS = {
    apsw.SQLITE_LIMIT_LENGTH: 4 * 2**20,
    apsw.SQLITE_LIMIT_SQL_LENGTH: 100_000,
    apsw.SQLITE_LIMIT_COLUMN: 100,
    apsw.SQLITE_LIMIT_ATTACHED: 0,
}
# Only these change a schema; rows are of no interest here, and a statement about them may take for ever.
_SCHEMA_WORDS = re.compile(r"(?i)(?:create|alter|drop)\b")
_IGNORED = re.compile(r"(?:\s|;|--[^\n]*(?:\n|\Z)|/\*.*?(?:\*/|\Z))*", re.S)
_TRIGGER = re.compile(r"(?i)create\s+(?:temp\w*\s+)?trigger\b")
# A text, a comment, a quoted name, a number, a word or a sign. Names are bounded: one that never ends, met a
# million times, would be looked for to the end of the file each time.
_WORD = re.compile(
    r"""(?:\b[xX])?'(?:[^']|'')*(?:'|\Z)|--[^\n]*|/\*.*?(?:\*/|\Z)|"(?:[^"]|""){0,300}"|`[^`]{0,300}`|\[[^\]]{0,300}\]|\d+\.\d+|\w+|[^\s\w]""",
    re.S,
)
_XINFO = 'SELECT name, type, "notnull", dflt_value, pk, hidden FROM pragma_table_xinfo(?)'
# Tables that no person describes: the engine's own, and wrangler's record of migrations.
_OWN = re.compile(r"(?i)_cf_|sqlite_|d1_migrations$|__drizzle_migrations$")


@dataclass(frozen=True)
class Column:
    """A column as `PRAGMA table_xinfo` tells it; the default of a `secret` one is nobody's business."""

    name: str
    type: str
    not_null: bool = False
    default: str | None = None
    primary_key: bool = False
    secret: bool = False


@dataclass(frozen=True)
class Index:
    """An index; `columns` holds None for an expression. A UNIQUE or PRIMARY KEY clause gives one too."""

    name: str
    unique: bool
    columns: tuple[str | None, ...]


@dataclass(frozen=True)
class Table:
    """A table or view."""

    name: str
    kind: str
    columns: tuple[Column, ...]
    indexes: tuple[Index, ...] = ()
    sql: str | None = None


@dataclass(frozen=True)
class Statement:
    """A statement and the line in its file where it begins."""

    line: int
    sql: str


@dataclass(frozen=True)
class Replay:
    """The tables that statements gave, and those statements that SQLite would not run."""

    tables: tuple[Table, ...]
    failed: tuple[Statement, ...]


def statements(text: str, first_line: int = 1) -> Iterator[Statement]:
    """The statements of *text*, with comments left before them cut off; the bodies of triggers stay whole."""
    begin = _skip(text, 0)
    line = first_line + text.count("\n", 0, begin)
    for word in _WORD.finditer(text):
        end = word.end()
        if word.group() != ";" or end <= begin:
            continue
        if _TRIGGER.match(text, begin) and not apsw.complete(text[begin:end]):
            continue
        yield Statement(line, text[begin : end - 1].rstrip())
        after = _skip(text, end)
        line += text.count("\n", begin, after)
        begin = after
    if rest := text[begin:].rstrip():
        yield Statement(line, rest)


def _skip(text: str, start: int) -> int:
    found = _IGNORED.match(text, start)
    return found.end() if found else start


def replay(given: Iterable[Statement], *, seconds: float = 2) -> Replay:
    """Run those of *given* that change a schema, in order, and tell what they give.

    What fails is told and passed over; nothing is read or written but memory.
    """
    deadline = time.monotonic() + seconds
    failed = []
    with closing(_scratch(deadline)) as connection:
        for statement in given:
            if not _SCHEMA_WORDS.match(statement.sql):
                continue
            try:
                connection.execute(statement.sql)
            except apsw.Error:
                failed.append(statement)
        connection.set_progress_handler(None)
        connection.authorizer = None
        return Replay(tuple(_tables(connection)), tuple(failed))


def is_own(name: str) -> bool:
    """Whether *name* is a table of the engine's or of wrangler's own, which no document describes."""
    return _OWN.match(name) is not None


def same_sql(one: str | None, other: str | None) -> bool:
    """Whether two statements differ in comments, spacing, quotes of names and case only.

    A literal that is masked in one of them may be any literal in the other.
    """
    first, second = _words(one), _words(other)
    return len(first) == len(second) and all(
        a == b or MASK in (a.strip("'"), b.strip("'")) for a, b in zip(first, second, strict=True)
    )


def _words(sql: str | None) -> list[str]:
    kept = (word for word in _WORD.findall(sql or "") if not word.startswith(("--", "/*")))
    return [word if "'" in word else word.strip('"`[]').lower() for word in kept]


def _scratch(deadline: float) -> apsw.Connection:
    connection = apsw.Connection(":memory:")
    connection.execute("PRAGMA max_page_count = 4096")
    for limit, value in _LIMITS.items():
        connection.limit(limit, value)

    def allow(action: int, _first: str | None, second: str | None, *_: str | None) -> int:
        if action not in _ALLOWED or (action == apsw.SQLITE_CREATE_VTABLE and (second or "").lower() not in _MODULES):
            return apsw.SQLITE_DENY
        if action == apsw.SQLITE_FUNCTION and second == "load_extension":
            return apsw.SQLITE_DENY
        return apsw.SQLITE_OK

    connection.authorizer = allow
    connection.set_progress_handler(lambda: time.monotonic() >= deadline, 1000)
    return connection


def _tables(connection: apsw.Connection) -> Iterator[Table]:
    kinds = {name: kind for _, name, kind, *_ in connection.execute("PRAGMA main.table_list")}
    made = connection.execute("SELECT name, sql FROM main.sqlite_master WHERE type IN ('table', 'view') ORDER BY name")
    for name, sql in list(made):
        kind = kinds.get(name, "table")
        if kind != "shadow" and not is_own(name):
            yield Table(name, kind, tuple(_columns(connection, name)), tuple(_indexes(connection, name)), sql)


def _columns(connection: apsw.Connection, table: str) -> Iterator[Column]:
    try:
        rows = list(connection.execute(_XINFO, (table,)))
    except apsw.SQLError:  # a view over something that is not there
        return
    for name, kind, not_null, default, key, hidden in rows:
        if hidden != 1:  # 1: a virtual table's own hidden column; 2 and 3 are generated ones
            yield Column(str(name), str(kind), bool(not_null), None if default is None else str(default), bool(key))


def _indexes(connection: apsw.Connection, table: str) -> Iterator[Index]:
    for name, unique in list(connection.execute('SELECT name, "unique" FROM pragma_index_list(?)', (table,))):
        columns = connection.execute("SELECT name FROM pragma_index_xinfo(?) WHERE key ORDER BY seqno", (name,))
        yield Index(str(name), bool(unique), tuple(None if column is None else str(column) for (column,) in columns))
