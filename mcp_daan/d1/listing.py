"""What can be told of each database at a glance."""

from typing import Literal

import apsw

from mcp_daan.d1.databases import Database
from mcp_daan.d1.migrations import applied_migrations, migration_files
from mcp_daan.d1.reading import reading
from mcp_daan.d1.schema import hidden
from mcp_daan.errors import DaanError
from mcp_daan.protocol import Model
from mcp_daan.workspace import Workspace


class Entry(Model):
    """One database; `tables`, `sizeBytes` and `migrationsPending` are null where they cannot be known."""

    name: str
    location: Literal["local", "remote"]
    id: str | None
    path: str | None
    binding: str | None
    app: str | None
    size_bytes: int | None
    tables: int | None
    migrations_pending: int | None


def bare_entry(name: str, database: Database, workspace: Workspace) -> Entry:
    """The listing of *database* as *name*, without what only looking into it tells."""
    return Entry(
        name=name,
        location=database.location,
        id=database.id,
        path=workspace.relative(database.path) if database.path else None,
        binding=database.binding,
        app=database.app,
        size_bytes=None,
        tables=None,
        migrations_pending=None,
    )


def entry(name: str, database: Database, workspace: Workspace, *, seconds: float) -> tuple[Entry, DaanError | None]:
    """The listing of a local *database* as *name*, and what kept its file from being read."""
    listed = bare_entry(name, database, workspace)
    try:
        if database.path is not None and database.exists:
            listed.size_bytes = database.path.stat().st_size
            listed.tables = _tables(database, seconds)
        else:
            listed.tables = 0
        listed.migrations_pending = _pending(database, seconds)
    except DaanError as error:
        return listed, error
    return listed, None


def _tables(database: Database, seconds: float) -> int:
    assert database.path is not None
    with reading(database.path, seconds=seconds) as connection:
        return count_tables(connection)


def count_tables(connection: apsw.Connection) -> int:
    """How many tables of the team's own there are."""
    kinds = connection.execute("SELECT name, type FROM pragma_table_list WHERE schema = 'main'")
    return sum(kind in ("table", "virtual") and not hidden(str(name)) for name, kind in kinds)


def _pending(database: Database, seconds: float) -> int | None:
    if database.migrations is None:
        return None
    applied = applied_migrations(database, seconds=seconds) or []
    return len(set(migration_files(database.migrations, database.migrations_pattern)) - set(applied))
