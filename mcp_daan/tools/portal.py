"""One reading of a portal's database: its connections, its API keys, and what its sign-in left behind."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, Protocol

import apsw

from mcp_daan.app import App
from mcp_daan.d1.databases import Database, called, local_file
from mcp_daan.d1.guard import Guard
from mcp_daan.d1.masking.lineage import result_masks
from mcp_daan.d1.masking.secrets import secret_columns
from mcp_daan.d1.reading import reading, table_names
from mcp_daan.d1.remote.shadow import shadow
from mcp_daan.errors import DaanError, NotFound
from mcp_daan.secret_names import secret_name
from mcp_daan.tokens.apikeys import TABLES, KeyCheck, count_keys, key_checks, key_table
from mcp_daan.tokens.columns import SHOWN, Columns, quoted, recognise
from mcp_daan.tokens.finding import Found
from mcp_daan.tokens.keys import KeyRing
from mcp_daan.tokens.leftovers import LEFTOVERS, left_behind, orphaned, owner_names, time_column, two_environments
from mcp_daan.tokens.table import Table

CONNECTIONS = "connections"
CHUNK = 2000
# Our own statements have a known cost: this is for the largest table on the slowest machine.
SECONDS = 120.0
# What `hidden` says of a generated column that is not stored.
VIRTUAL = 2
# The roles that tell whose grant a connection in use is.
OF_USERS = ("id", "provider", "status", "enabled", "ended_at", "external_user", "client")


class Rows(Protocol):
    """Reads every row of one SELECT; *of* names the one table that it reads row by row, where it does."""

    def __call__(self, sql: str, of: str | None = None) -> Iterator[Sequence[Any]]: ...


@dataclass(frozen=True)
class Source:
    """A database to read: *schema* answers what it is made of, *rows* what stands in it, one SELECT at a time."""

    schema: apsw.Connection
    rows: Rows
    secret_columns: tuple[str, ...]


@contextmanager
def opened(app: App, database: Database) -> Iterator[Source]:
    """*database*, to be read with statements of our own."""
    if database.location == "remote":
        with _opened_remote(app, database) as source:
            yield source
        return
    with reading(local_file(database), seconds=SECONDS) as connection:
        yield Source(connection, lambda sql, of=None: iter(connection.execute(sql)), database.secret_columns)


@contextmanager
def _opened_remote(app: App, database: Database) -> Iterator[Source]:
    """The schema is asked on an empty copy here; rows come as they are sealed, and are opened here."""
    from mcp_daan.d1.remote.rows import read_rows  # what these stand on is large, and most calls need no network

    remote = app.remote(database)
    with shadow(app.schemas.read(remote), seconds=SECONDS) as connection:
        connection.authorizer = Guard(table_names(connection))

        def rows(sql: str, of: str | None = None) -> Iterator[Sequence[Any]]:
            paged = of is not None and has_rowid(connection, of)
            return read_rows(remote, sql, by=of if paged else None, seconds=SECONDS)

        yield Source(connection, rows, database.secret_columns)


def connections(source: Source, app: App) -> Table:
    """The table of connections, opened and reduced to facts. NotFound where the database has none."""
    columns = columns_of(source, _table(source, app), app)
    columns = replace(columns, hidden=_hidden(source, columns))
    try:
        return _filled(app, source, columns, as_bytes=False)
    except UnicodeDecodeError:
        # Somewhere stands text that is not UTF-8; read as bytes it harms one value only.
        return _filled(app, source, columns, as_bytes=True)


def _filled(app: App, source: Source, columns: Columns, *, as_bytes: bool) -> Table:
    settings = app.settings.tokens
    table = Table(columns, app.keys, declared=settings.format, aad=settings.aad)
    total = _count(source, f"SELECT count(*) FROM {quoted(columns.table)}")
    rows = source.rows(columns.select(as_bytes=as_bytes), columns.table)
    while chunk := list(islice(rows, CHUNK)):
        table.add(chunk)
        app.progress(len(table), total, "connections judged")
    table.finish()
    return table


def api_keys(source: Source, now: float) -> list[KeyCheck]:
    """The checks on the table of API keys; none where there is no such table."""
    names = tables(source, TABLES)
    if not names:
        return []
    table = key_table(names[0], stored_columns(source, names[0]), _unique(source, names[0]))
    if not table.by_role:
        return []
    if "owner" in table.by_role:
        table.parent = _parent(source, names[0], table.by_role["owner"])
    return key_checks(table, count_keys(table, source.rows(table.select(), table.name), now))


def leftovers(source: Source, columns: Columns, now: float) -> list[Found]:
    """Connections of owners that are gone, and states and codes of sign-ins that nobody finished."""
    found: list[Found] = []
    if "user" in columns:
        owner = columns.name("user")
        parent = _parent(source, columns.table, owner)
        if parent is not None:
            found += orphaned(columns.table, owner, _count(source, _missing_parents(columns.table, owner, *parent)))
    for name in tables(source, LEFTOVERS):
        column = time_column(stored_columns(source, name))
        if column is not None:
            said = source.rows(f"SELECT {quoted(column)} FROM {quoted(name)}", name)
            found += left_behind(name, column, (each for (each,) in said), now)
    return found


def environments(app: App, database: Database, table: Table) -> list[Found]:
    """Whether users at the provider are connected in another local database too."""
    users = table.users()
    shared: dict[str, int] = {}
    for name, other in zip(called(app.reachable), app.reachable, strict=True) if users else ():
        if other.exists and other.path != database.path:
            # What keeps another database from being read is told where that one is asked for.
            with suppress(DaanError), opened(app, other) as source:
                shared[name] = len(users & _users(source, app))
    return list(two_environments({name: count for name, count in shared.items() if count}))


def _users(source: Source, app: App) -> frozenset[object]:
    """The users at the provider whose connections are in use."""
    for name in tables(source, [wanted(app)]):
        columns = columns_of(source, name, app)
        columns = replace(columns, by_role={role: each for role, each in columns.by_role.items() if role in OF_USERS})
        if "external_user" in columns:
            table = Table(columns, KeyRing())
            rows = source.rows(columns.select(), name)
            while chunk := list(islice(rows, CHUNK)):
                table.add(chunk)
            return table.users()
    return frozenset()


# --- which table and columns ---


def wanted(app: App) -> str:
    """The name of the table of connections."""
    return app.settings.tokens.table or CONNECTIONS


def tables(source: Source, names: Sequence[str]) -> list[str]:
    """The tables of these names as the schema spells them; what a view computes may cost anything."""
    found = source.schema.execute("SELECT name FROM pragma_table_list WHERE type = 'table' AND schema = 'main'")
    asked = [name.lower() for name in names]
    return [str(name) for (name,) in found if str(name).lower() in asked]


def stored_columns(source: Source, table: str) -> list[str]:
    """The columns of *table*, without those that are computed on reading: they may cost anything."""
    sql = f"SELECT name FROM pragma_table_xinfo(?) WHERE hidden <> {VIRTUAL}"
    return [str(name) for (name,) in source.schema.execute(sql, (table,))]


def columns_of(source: Source, table: str, app: App) -> Columns:
    """The roles of the columns of *table*."""
    sql = f"SELECT name, pk FROM pragma_table_xinfo(?) WHERE hidden <> {VIRTUAL}"
    rows = source.schema.execute(sql, (table,)).fetchall()
    present = [str(name) for name, _ in rows]
    keys = [str(name) for name, position in rows if position and not secret_name(str(name))]
    key = keys[0] if keys else "rowid" if has_rowid(source.schema, table) else present[0]
    return recognise(table, present, app.settings.tokens.columns, key)


def has_rowid(schema: apsw.Connection, table: str) -> bool:
    """Whether the rows of *table* have numbers of their own."""
    sql = "SELECT 1 FROM pragma_table_list(?) WHERE type = 'table' AND NOT wr AND schema = 'main'"
    return bool(schema.execute(sql, (table,)).fetchall())


def _table(source: Source, app: App) -> str:
    found = tables(source, [wanted(app)])
    if found:
        return found[0]
    shown = source.schema.execute("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%'")
    names = ", ".join(str(name) for (name,) in shown if not str(name).startswith(("_cf_", "d1_")))[:300]
    raise NotFound(
        f"The database has no table `{wanted(app)}`.",
        advice=f"Name the table of connections as `[tokens] table` in daan.toml. Tables: {names or 'none'}.",
    )


def _hidden(source: Source, columns: Columns) -> frozenset[str]:
    """Of the roles that are shown, those whose column draws on a secret, whatever it is called."""
    roles = [role for role in SHOWN if role in columns]
    secrets = secret_columns(source.schema, source.secret_columns)
    sql = f"SELECT {', '.join(quoted(columns.name(role)) for role in roles)} FROM {quoted(columns.table)}"
    masks = result_masks(source.schema, sql, secrets).columns if roles else ()
    return frozenset(role for role, masked in zip(roles, masks, strict=True) if masked)


def _unique(source: Source, table: str) -> Iterator[str]:
    """The columns that an index of their own makes unique."""
    indexes = source.schema.execute('SELECT name FROM pragma_index_list(?) WHERE "unique" AND NOT partial', (table,))
    for (index,) in indexes.fetchall():
        columns = source.schema.execute("SELECT name FROM pragma_index_info(?)", (index,)).fetchall()
        if len(columns) == 1 and columns[0][0] is not None:
            yield str(columns[0][0])


def _parent(source: Source, table: str, column: str) -> tuple[str, str] | None:
    """The table and key that *column* names a row of: by a foreign key, else by its name; None where none is told.

    Only a table's own key is taken: without an index each row would cost a reading of the whole parent.
    """
    schema = source.schema
    declared = schema.execute(
        'SELECT "table" FROM pragma_foreign_key_list(?) WHERE lower("from") = lower(?)', (table, column)
    )
    names = [str(name) for (name,) in declared.fetchall()] or owner_names(column)
    for parent in tables(source, names):
        keys = schema.execute("SELECT name FROM pragma_table_xinfo(?) WHERE pk", (parent,)).fetchall()
        if len(keys) == 1:
            return parent, str(keys[0][0])
    return None


def _missing_parents(table: str, column: str, parent: str, key: str) -> str:
    own = f"{quoted(table)}.{quoted(column)}"
    return (
        f"SELECT count(*) FROM {quoted(table)} WHERE {own} IS NOT NULL"
        f" AND NOT EXISTS (SELECT 1 FROM {quoted(parent)} AS o WHERE o.{quoted(key)} = {own})"
    )


def _count(source: Source, sql: str) -> int:
    return int(next(iter(source.rows(sql)))[0])
