"""The databases of the workspace as documents are held against them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mcp_daan.app import App
from mcp_daan.d1 import schema as d1
from mcp_daan.d1.databases import Database
from mcp_daan.d1.migrations import applied_migrations, migration_files
from mcp_daan.d1.remote.listing import applied_remotely
from mcp_daan.d1.remote.shadow import shadow
from mcp_daan.errors import DaanError
from mcp_daan.knowledge.validation.drift import Schema
from mcp_daan.knowledge.validation.edits import Migrations, made_by, not_run
from mcp_daan.knowledge.validation.findings import Finding, finding
from mcp_daan.knowledge.validation.replay import Column, Index, Table, is_own
from mcp_daan.knowledge.validation.validation import Given
from mcp_daan.protocol import Component

MIGRATION_BYTES = 4 * 2**20


@dataclass(frozen=True)
class Held:
    """What is known of one database; `problem` says why its file could not be read."""

    database: Database
    tables: list[Table] | None
    applied: list[str] | None
    files: dict[str, str]
    unreadable: list[str]
    problem: DaanError | None


def hold(app: App, database: Database) -> Held:
    """What can be read of *database*."""
    seconds = app.settings.limits.statement_seconds
    files, unreadable = _migration_texts(database)
    tables: list[Table] | None = None
    applied: list[str] | None = None
    problem: DaanError | None = None
    if database.exists or database.location == "remote":
        try:
            read, applied = _read(app, database, seconds)
            tables = [_plain(t) for t in read if not is_own(t.name) and t.name != database.migrations_table]
        except DaanError as error:
            problem = error
    return Held(database, tables, applied, files, unreadable, problem)


def _read(app: App, database: Database, seconds: float) -> tuple[list[d1.Table], list[str] | None]:
    """The tables of *database* and its applied migrations."""
    if database.location == "local":
        return d1.read_schema(database, seconds=seconds), applied_migrations(database, seconds=seconds)
    remote = app.remote(database)
    schema = app.schemas.read(remote)
    with shadow(schema, seconds=seconds) as connection:
        return d1.declared_tables(connection, database.secret_columns), applied_remotely(remote, schema)


def _migration_texts(database: Database) -> tuple[dict[str, str], list[str]]:
    """The text of each migration in order, and the names of those that could not be read; their text is empty."""
    texts: dict[str, str] = {}
    unreadable = []
    folder = database.migrations
    for name in migration_files(folder, database.migrations_pattern) if folder is not None else ():
        try:
            texts[name] = read_migration((folder or Path()) / name)
        except (OSError, UnicodeDecodeError):
            texts[name] = ""
            unreadable.append(name)
    return texts, unreadable


def read_migration(file: Path) -> str:
    """The statements in *file*; OSError when it is larger than a migration may be."""
    if file.stat().st_size > MIGRATION_BYTES:
        raise OSError("too large")
    return file.read_text(encoding="utf-8-sig")


def _plain(table: d1.Table) -> Table:
    """A table as the knowledge room knows it, which must not know D1's."""
    columns = [
        Column(each.name, each.type, each.not_null, each.default, each.primary_key, each.secret)
        for each in table.columns
    ]
    names = {each.name for each in columns}
    indexes = [
        Index(each.name, each.unique, tuple(column if column in names else None for column in each.columns))
        for each in table.indexes
    ]
    return Table(table.name, table.kind, tuple(columns), tuple(indexes), table.sql)


def given_by(app: App, held: Sequence[Held], component: Component | None) -> Given:
    """What validation needs to know of the databases in *held*."""
    settings = app.settings
    schemas: list[Schema] = []
    findings: list[Finding] = []
    for each in held:
        schema, found = _schema(app, each, held)
        schemas += [schema] if schema is not None else []
        findings += found
    return Given(
        schemas=schemas,
        migrations=[recorded(each, _folder(app, each)) for each in held if each.database.migrations is not None],
        folders={each.database.name: each.database.migrations for each in held if each.database.migrations is not None},
        grep=settings.git.grep,
        now=app.now,
        stale_days=settings.knowledge.stale_days,
        stale_scraped_days=settings.knowledge.stale_scraped_days,
        component=component,
        findings=findings,
    )


def recorded(each: Held, folder: str) -> Migrations:
    """The migrations of one database, whose *folder* the team writes so."""
    return Migrations(
        database=each.database.name,
        folder=folder,
        files=each.files,
        applied=each.applied,
        tables=each.tables,
        complete=not each.unreadable,
    )


def _folder(app: App, each: Held) -> str:
    return app.workspace.relative(each.database.migrations) if each.database.migrations is not None else ""


def _schema(app: App, each: Held, held: Sequence[Held]) -> tuple[Schema | None, list[Finding]]:
    """What documents are held against for one database: its file, else what its migrations make, else nothing."""
    name = each.database.name
    made, failed = made_by(each.files)
    if each.tables or (each.tables is not None and not made):
        return Schema(name, "file", tuple(each.tables), made), []
    if each.problem is None and _covered(each, held):
        return None, []
    why = (
        each.problem.message
        if each.problem
        else f"{name} has no local file."
        if each.tables is None
        else f"{name} is empty."
    )
    against = f"what the migrations of {name} make" if made else "nothing"
    place = each.database.path if each.problem and each.database.path else None
    path = app.workspace.relative(place) if place else _folder(app, each) or each.database.app or name
    found = [finding("unchecked", path, f"{why} Documents are held against {against}.", component="d1")]
    if failed is not None:
        found.append(not_run(_folder(app, each), *failed, "so what it makes is not known"))
    return (Schema(name, "migrations", made) if made else None), found


def _covered(each: Held, held: Sequence[Held]) -> bool:
    """Whether a database without a file is one that another of the same app stands for, as production's often is."""
    return each.tables is None and any(
        other.tables and other.database.app is not None and other.database.app == each.database.app for other in held
    )


def holes_of(app: App, held: Sequence[Held]) -> list[str]:
    """What could not be read, and what to do about it."""
    holes = [f"{error.message} {error.advice}" for error in app.workspace.unreadable]
    if app.databases and not held:
        holes.append(
            "Only remote databases are named, and documents are held against local ones: name one in daan.toml."
        )
    for each in held:
        name = each.database.name
        if each.problem is not None:
            holes.append(f"{name}: {each.problem.message} {each.problem.advice}")
        elif not each.database.exists and not _covered(each, held):
            holes.append(f"{name} has no local file: run its Worker once, or apply its migrations with --local.")
        holes += (
            f"{file} of {name} could not be read: save it as UTF-8 text of at most 4 MiB." for file in each.unreadable
        )
    return holes
