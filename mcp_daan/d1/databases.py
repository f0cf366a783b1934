"""Which D1 databases the workspace names, and where wrangler keeps each."""

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from mcp_daan.config import D1, FILE, RemoteOrFile
from mcp_daan.errors import InvalidArguments, NotFound, Unavailable
from mcp_daan.local_state import object_file, object_files, state_folders
from mcp_daan.remembered import Looks
from mcp_daan.workspace import Workspace
from mcp_daan.wrangler import D1Binding, WranglerConfig

UNIQUE_KEY = "miniflare-D1DatabaseObject"


@dataclass(frozen=True)
class Database:
    """A D1 database: a file where wrangler keeps it (it may not exist yet), or a remote one by its id."""

    name: str
    location: Literal["local", "remote"]
    id: str | None
    path: Path | None
    binding: str | None
    app: str | None
    migrations: Path | None
    migrations_table: str
    secret_columns: tuple[str, ...]
    migrations_pattern: str = "*.sql"
    account_id: str | None = None

    @property
    def exists(self) -> bool:
        """Whether there is a local file."""
        return self.path is not None and self.path.is_file()


def find_databases(workspace: Workspace, settings: D1, looks: Looks | None = None) -> list[Database]:
    """Every database of the settings and of the wrangler configurations, local before remote, each name once.

    Where two local ones share a name, the later is called `name@environment` or `name@app`.
    Raises InvalidArguments for a `[d1.databases.NAME]` without `path` and `id`.
    """
    local: list[tuple[Database, str | None]] = []
    remote: list[Database] = []
    looks = looks or Looks()
    bound = list(_bound(workspace, settings, looks))
    for name, entry in settings.databases.items():
        configured = _configured(name, entry, workspace, settings)
        if configured.location == "remote":
            remote.append(configured)
        else:
            local.append((_completed(configured, bound), None))
    return [*_distinct([*local, *bound], looks), *remote]


def choose(databases: Sequence[Database], name: str) -> Database:
    """The database called *name*, the local one first; `remote:NAME` means the remote one.

    Raises NotFound that lists the names.
    """
    for location in ("local", "remote"):
        for database in databases:
            if database.location == location and name in (database.name, f"{location}:{database.name}"):
                return database
    names = called(databases)
    close = difflib.get_close_matches(name, names, 1)
    if not names:
        advice = f"Add a D1 binding to a wrangler configuration, or `[d1.databases.NAME]` to {FILE}."
    else:
        advice = f"The databases are: {', '.join(names)}." + (f" Did you mean `{close[0]}`?" if close else "")
    raise NotFound("There is no database of that name in this workspace.", advice=advice)


def called(databases: Sequence[Database]) -> list[str]:
    """The name that finds each database and no other."""
    local = {database.name for database in databases if database.location == "local"}
    return [
        f"remote:{database.name}" if database.location == "remote" and database.name in local else database.name
        for database in databases
    ]


def local_file(database: Database) -> Path:
    """The file of *database*, whether it exists or not. Raises Unavailable for a remote one."""
    if database.path is None:
        raise Unavailable(
            "This needs the database's file, which a remote database has not.",
            advice="Name the local database of the same schema.",
            retryable=False,
        )
    return database.path


def file_name(local_id: str) -> str:
    """The name that miniflare gives the file of *local_id*."""
    return object_file(UNIQUE_KEY, local_id)


def _bound(workspace: Workspace, settings: D1, looks: Looks) -> Iterator[tuple[Database, str | None]]:
    """The database of each binding with the binding's environment; one file of several bindings once."""
    seen: set[tuple[str, Path]] = set()
    for app in workspace.apps:
        states = state_folders(workspace.root, settings.persist, app.path.parent)
        for binding in app.d1_bindings():
            for path in object_files(states, "d1", UNIQUE_KEY, binding.local_id, looks):
                if (binding.name, path) not in seen:
                    seen.add((binding.name, path))
                    migrations = migrations_of(app, binding, looks)
                    yield _database(workspace, settings, app, binding, path, migrations), binding.environment


def migrations_of(app: WranglerConfig, binding: D1Binding, looks: Looks) -> Path | None:
    """The folder of the binding's migrations, if it is there."""
    folder = app.path.parent / binding.migrations_dir
    return folder if looks.is_dir(folder) else None


def _database(
    workspace: Workspace, settings: D1, app: WranglerConfig, binding: D1Binding, path: Path, migrations: Path | None
) -> Database:
    return Database(
        name=binding.name,
        location="local",
        id=binding.database_id,
        path=path,
        binding=binding.binding,
        app=workspace.relative(app.path.parent),
        migrations=migrations,
        migrations_table=binding.migrations_table,
        secret_columns=tuple(settings.secret_columns),
        migrations_pattern=binding.migrations_pattern,
    )


def _configured(name: str, entry: RemoteOrFile, workspace: Workspace, settings: D1) -> Database:
    if not entry.path and not entry.id:
        raise InvalidArguments(
            f"{FILE}: `[d1.databases.{name}]` has neither `path` nor `id`.",
            advice="Give `path` for a local file, or `id` for a remote database.",
        )
    return Database(
        name=name,
        location="local" if entry.path else "remote",
        id=entry.id,
        path=workspace.root / entry.path if entry.path else None,
        binding=None,
        app=None,
        migrations=None,
        migrations_table="d1_migrations",
        secret_columns=tuple(settings.secret_columns),
        account_id=entry.account_id,
    )


def _completed(configured: Database, bound: list[tuple[Database, str | None]]) -> Database:
    """*configured* with what a binding of the same name or file knows of it besides."""
    for database, _ in bound:
        if configured.path == database.path or configured.name == database.name:
            return replace(database, name=configured.name, path=configured.path, id=configured.id or database.id)
    return configured


def _distinct(found: list[tuple[Database, str | None]], looks: Looks) -> list[Database]:
    """The local databases under names of their own, in the order given.

    Of one database (same name and id) bound in several apps, only the files that exist are kept, or else one.
    """

    def exists(database: Database) -> bool:
        return database.path is not None and looks.is_file(database.path)

    kept: list[Database] = []
    for database, environment in found:
        twins = [other for other, _ in found if (other.name, other.id) == (database.name, database.id)]
        if any(database.path == other.path for other in kept):
            continue
        if not exists(database) and database is not next((twin for twin in twins if exists(twin)), twins[0]):
            continue
        names = {other.name for other in kept}
        if database.name in names:
            folder = (database.app or "").rsplit("/", 1)[-1]
            marks = [environment, folder, database.app, *map(str, range(2, len(found) + 2))]
            database = replace(
                database, name=next(n for mark in marks if mark and (n := f"{database.name}@{mark}") not in names)
            )
        kept.append(database)
    return kept
