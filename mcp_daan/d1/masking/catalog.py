"""What the schema of a database file declares: relations, indexes and their columns, as masking needs them."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from typing import Any, NamedTuple

import apsw

from mcp_daan.d1.masking.words import tokens
from mcp_daan.errors import Unavailable

Secret = tuple[str, str]
Secrets = frozenset[Secret]


class Relation(NamedTuple):
    """A table or view; every name is lower-case but those in *declared*. *key* is the column that `rowid` names."""

    name: str
    kind: str
    columns: tuple[str, ...] = ()
    declared: tuple[str, ...] = ()
    hidden: frozenset[str] = frozenset()
    generated: frozenset[str] = frozenset()
    primary: tuple[str, ...] = ()
    key: str | None = None
    module: str = ""
    sql: str = ""

    @property
    def visible(self) -> list[str]:
        """The columns that `*` stands for."""
        return [column for column in self.columns if column not in self.hidden]


class Index(NamedTuple):
    """An index, the names that stand in its columns, expressions and WHERE, and the page it starts at."""

    name: str
    table: str
    root: int
    words: frozenset[str]


class Catalog(NamedTuple):
    """A whole schema; *triggers* are (table, SQL), *memory* keeps what others derived from it."""

    relations: dict[str, Relation]
    indexes: list[Index]
    triggers: list[tuple[str, str]]
    memory: dict[Any, Any]


# By the whole text of the schema: a file is opened anew for each statement, its schema seldom changes.
_catalogs: dict[tuple[Any, ...], Catalog] = {}
_MOST_CATALOGS = 16
_lock = threading.Lock()


@contextmanager
def unguarded(connection: apsw.Connection) -> Iterator[apsw.Cursor]:
    """A cursor for statements of our own, which the connection's authorizer and tracer are not asked about."""
    authorizer = connection.authorizer
    cursor = connection.cursor()
    cursor.exec_trace = lambda *_: True
    cursor.row_trace = lambda _, row: row
    connection.authorizer = None
    try:
        yield cursor
    finally:
        connection.authorizer = authorizer


def read_catalog(connection: apsw.Connection) -> Catalog:
    """The schema of *connection*'s file; Unavailable if it is not UTF-8."""
    try:
        with unguarded(connection) as cursor:
            rows = tuple(_rows(cursor, "SELECT type, name, tbl_name, rootpage, sql FROM main.sqlite_schema"))
            with _lock:
                found = _catalogs.get(rows)
            return found or _kept(rows, _read(cursor, rows))
    except UnicodeDecodeError as error:
        advice = "Until its schema is mended, nobody can tell which of its columns hold secrets."
        raise Unavailable("The schema of the database holds text that is not UTF-8.", advice=advice) from error


def _kept(rows: tuple[Any, ...], catalog: Catalog) -> Catalog:
    """*catalog*, or the one that another thread kept meanwhile."""
    with _lock:
        if len(_catalogs) >= _MOST_CATALOGS:
            del _catalogs[next(iter(_catalogs))]
        return _catalogs.setdefault(rows, catalog)


def table_function(connection: apsw.Connection, name: str) -> Relation | None:
    """A table that a module brings without any declaration, such as json_each; None if there is none."""
    with unguarded(connection) as cursor:
        relation = _relation(cursor, name, "virtual", "")
    return relation if relation.columns else None


def _read(cursor: apsw.Cursor, rows: tuple[Any, ...]) -> Catalog:
    catalog = Catalog({}, [], [], {})
    for kind, name, table, root, sql in rows:
        if kind == "index":
            catalog.indexes.append(Index(name.lower(), table.lower(), root, _index_words(cursor, name, sql)))
        elif kind == "trigger":
            catalog.triggers.append((table.lower(), sql))
        elif kind in ("table", "view"):
            virtual = kind == "table" and not root
            catalog.relations[name.lower()] = _relation(cursor, name, "virtual" if virtual else kind, sql or "")
    # The engine calls it by its old name only.
    schema = _relation(cursor, "sqlite_master", "table", "")
    catalog.relations.update(sqlite_schema=schema, sqlite_master=schema)
    return catalog


def _rows(cursor: apsw.Cursor, sql: str) -> list[tuple[Any, ...]]:
    return cursor.execute(sql).fetchall()


def _relation(cursor: apsw.Cursor, name: str, kind: str, sql: str) -> Relation:
    try:
        rows = _rows(cursor, f"PRAGMA main.table_xinfo({quoted(name)})")
    except apsw.SQLError:
        rows = []  # A view of what is gone, or a module that is not there: nothing can read it either.
    columns = [(column.lower(), kind_of, place, hidden) for _, column, kind_of, _, _, place, hidden in rows]
    primary = [column for column, _, place, _ in sorted(columns, key=lambda row: row[2]) if place]
    without_rowid = kind == "table" and _without_rowid(sql)
    integer = [column for column, kind_of, place, _ in columns if place and kind_of.upper() == "INTEGER"]
    return Relation(
        name.lower(),
        kind,
        tuple(column for column, *_ in columns),
        tuple(row[1] for row in rows),
        frozenset(column for column, _, _, hidden in columns if hidden == 1),
        frozenset(column for column, _, _, hidden in columns if hidden in (2, 3)),
        tuple(primary) if without_rowid else (),
        integer[0] if len(primary) == 1 and integer and not without_rowid else None,
        _module(sql) if kind == "virtual" else "",
        sql,
    )


def _without_rowid(sql: str) -> bool:
    depth, words = 0, []
    for token in tokens(sql):
        depth += {"(": 1, ")": -1}.get(token.word, 0)
        if not depth:
            words.append(token.word)
    return any(pair == ("WITHOUT", "ROWID") for pair in pairwise(words))


def _module(sql: str) -> str:
    words = tokens(sql)
    return next((after.name for each, after in pairwise(words) if each.word == "USING"), "")


def _index_words(cursor: apsw.Cursor, name: str, sql: str | None) -> frozenset[str]:
    rows = _rows(cursor, f"PRAGMA main.index_xinfo({quoted(name)})")
    found = {column.lower() for _, _, column, _, _, key in rows if key and column}
    words = tokens(sql or "")
    behind = next((place for place, token in enumerate(words) if token.word == "ON"), len(words))
    return frozenset(found | {token.name for token in words[behind + 2 :] if token.name})


def quoted(name: str) -> str:
    """*name* as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'
