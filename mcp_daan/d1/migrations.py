"""Migrations as wrangler sees them: files in a folder, names in a table."""

import re
from pathlib import Path

from mcp_daan.d1.databases import Database
from mcp_daan.d1.reading import reading


def migration_files(folder: Path) -> list[str]:
    """The names of the folder's *.sql files in wrangler's order: by leading number, unnumbered last, then by name."""
    return sorted((path.name for path in folder.glob("*.sql") if path.is_file()), key=_order)


def applied_migrations(database: Database, *, seconds: float) -> list[str] | None:
    """The names in the database's migrations table in order of application; None without the table or the file."""
    if database.path is None or not database.exists:
        return None
    with reading(database.path, seconds=seconds) as connection:
        table = database.migrations_table
        columns = {name for (name,) in connection.execute("SELECT name FROM pragma_table_info(?)", (table,))}
        if not {"id", "name"} <= columns:
            return None
        return [str(name) for (name,) in connection.execute(f'SELECT name FROM "{_quoted(table)}" ORDER BY id')]


def _quoted(name: str) -> str:
    return name.replace('"', '""')


def _order(name: str) -> tuple[bool, int, str]:
    number = re.match(r"\d+", name)
    return number is None, int(number[0]) if number else 0, name
