"""What can be told of remote databases at a glance, several at once."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from mcp_daan.d1.listing import Entry, bare_entry, count_tables
from mcp_daan.d1.masking.catalog import quoted
from mcp_daan.d1.migrations import migration_files
from mcp_daan.d1.remote.access import Remote
from mcp_daan.d1.remote.schemas import Schema, Schemas
from mcp_daan.d1.remote.shadow import shadow
from mcp_daan.errors import DaanError
from mcp_daan.workspace import Workspace

AT_ONCE = 8


def remote_entries(
    named: Sequence[tuple[str, Remote]], schemas: Schemas, workspace: Workspace
) -> list[tuple[Entry, DaanError | None]]:
    """The listing of each database, and what kept it from being read."""
    if not named:
        return []
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(lambda each: _entry(each[0], each[1], schemas, workspace), named))


def applied_remotely(remote: Remote, schema: Schema) -> list[str] | None:
    """The names in the migrations table in order of application; None where there is no such table."""
    table = remote.database.migrations_table
    if not any(kind == "table" and name == table for kind, name, *_ in schema):
        return None
    return [str(name) for (name,) in remote.ask(f"SELECT name FROM {quoted(table)} ORDER BY id", width=1).rows]


def _entry(name: str, remote: Remote, schemas: Schemas, workspace: Workspace) -> tuple[Entry, DaanError | None]:
    listed = bare_entry(name, remote.database, workspace)
    try:
        size = remote.about().get("file_size")
        listed.size_bytes = size if isinstance(size, int) else None
        schema = schemas.read(remote)
        with shadow(schema, seconds=remote.seconds) as connection:
            listed.tables = count_tables(connection)
        folder = remote.database.migrations
        if folder is not None:
            files = migration_files(folder, remote.database.migrations_pattern)
            listed.migrations_pending = len(set(files) - set(applied_remotely(remote, schema) or []))
    except DaanError as error:
        return listed, error
    return listed, None
