"""Migrations: which are applied, which files are gone, which were edited afterwards."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from shlex import quote

from mcp_daan.knowledge.validation.findings import MADE_BY_HAND, Finding, finding
from mcp_daan.knowledge.validation.replay import Column, Index, Table, replay, same_sql, statements
from mcp_daan.protocol import Model


class Migration(Model):
    """One migration file; `applied` is null when the database cannot tell."""

    database: str
    file: str
    applied: bool | None
    path: str


@dataclass(frozen=True)
class Migrations:
    """The files of one database in wrangler's order, by name, and what its own record says.

    `folder` is how the team writes the folder; `applied` None means that there is no record.
    `tables` are those of the database, None when it could not be read; `complete`: every file could be read.
    """

    database: str
    folder: str
    files: Mapping[str, str]
    applied: Sequence[str] | None
    tables: Sequence[Table] | None
    complete: bool = True

    def states(self) -> list[Migration]:
        """Every file with its state; a database without a record has applied nothing."""
        none: Sequence[str] | None = [] if self.tables is not None else None
        applied = self.applied if self.applied is not None else none
        return [
            Migration(
                database=self.database,
                file=name,
                applied=None if applied is None else name in applied,
                path=f"{self.folder}/{name}",
            )
            for name in self.files
        ]


def migration_findings(of: Migrations) -> list[Finding]:
    """What is wrong with the migrations of one database."""
    found = [
        finding(
            "migration_unapplied",
            each.path,
            f"{each.file} is not applied to {of.database}.",
            line=1,
            found="not applied",
            expected="applied",
            suggestion=f"wrangler d1 migrations apply {quote(of.database)} --local",
            component="d1",
        )
        for each in of.states()
        if each.applied is False
    ]
    unknown = [name for name in of.applied or () if name not in of.files]
    found += (
        finding(
            "migration_unknown",
            of.folder,
            f"{of.database} records {name} as applied, but there is no such file.",
            found=f"{name} is recorded",
            expected=f"the file {name}",
            suggestion=f"git log --all -- {quote(f'{of.folder}/{name}')}",
            component="d1",
        )
        for name in unknown
    )
    if of.applied and of.tables is not None and of.complete and not unknown:
        found += _edited(of, [name for name in of.applied if name in of.files], of.tables)
    return found


def made_by(files: Mapping[str, str]) -> tuple[tuple[Table, ...], tuple[str, int] | None]:
    """The tables that *files*, by name in order, make, and (file, line) of the first statement that fails."""
    made = {name: list(statements(text)) for name, text in files.items()}
    result = replay(statement for each in made.values() for statement in each)
    if not result.failed:
        return result.tables, None
    first = result.failed[0]
    return result.tables, (next(name for name, each in made.items() if any(s is first for s in each)), first.line)


def _edited(of: Migrations, names: Sequence[str], tables: Sequence[Table]) -> Iterator[Finding]:
    """Where the schema that the applied files give differs from the one that is."""
    made, failed = made_by({name: of.files[name] for name in names})
    if failed is not None:
        yield not_run(of.folder, *failed, "so nobody can tell whether applied migrations were edited")
        return
    given = {table.name.lower(): table for table in made}
    real = {table.name.lower(): table for table in tables}
    for name in sorted(given.keys() | real.keys()):
        yield from _table_edited(of, names, given.get(name), real.get(name))


def not_run(folder: str, file: str, line: int, so: str) -> Finding:
    """A migration that SQLite would not run, and what that leaves open."""
    message = f"{file} could not be run in memory, {so}."
    return finding("unchecked", f"{folder}/{file}", message, line=line, component="d1")


def _table_edited(of: Migrations, names: Sequence[str], given: Table | None, real: Table | None) -> Iterator[Finding]:
    if given is None and real is not None:
        pending = next((f for f in of.files if f not in names and _line(of.files[f], real.name, None)), None)
        how = f"{pending}, which makes it, was run by hand" if pending else "it was made by hand, or a file lost it"
        yield finding(
            "migration_edited",
            f"{of.folder}/{pending}" if pending else of.folder,
            f"{of.database} has `{real.name}`, which no applied migration makes: {how}.",
            component="d1",
            severity=MADE_BY_HAND,
        )
    elif real is None and given is not None:
        yield _edit(of, names, given.name, None, f"makes `{given.name}`, which {of.database} lacks")
    elif given is not None and real is not None:
        differences = list(_differences(given, real, of.database))
        if not differences and not same_sql(given.sql, real.sql):
            differences = [
                (None, f"defines `{given.name}` otherwise than {of.database} has it, in a constraint or a condition")
            ]
        for column, what in differences:
            yield _edit(of, names, given.name, column, what)


def _differences(given: Table, real: Table, database: str) -> Iterator[tuple[str | None, str]]:
    """(column or index, what the files do) for each difference."""
    theirs = {column.name.lower(): column for column in given.columns}
    ours = {column.name.lower(): column for column in real.columns}
    for name, column in theirs.items():
        if name not in ours:
            yield column.name, f"gives `{given.name}` the column `{column.name}`, which {database} lacks"
            continue
        # The default of a secret column is neither compared nor told.
        default = not ours[name].secret
        made, held = _kind(column, default=default), _kind(ours[name], default=default)
        if made != held:
            yield column.name, f"makes `{given.name}.{column.name}` {made}; in {database} it is {held}"
    for name, column in ours.items():
        if name not in theirs:
            yield column.name, f"does not give `{given.name}` the column `{column.name}`, which {database} has"
    yield from _index_differences(_indexes(given), _indexes(real), database)


def _index_differences(
    theirs: dict[str, Index], ours: dict[str, Index], database: str
) -> Iterator[tuple[str | None, str]]:
    for name, index in theirs.items():
        if name not in ours:
            yield index.name, f"makes the index `{index.name}`, which {database} lacks"
        elif (index.columns, index.unique) != (ours[name].columns, ours[name].unique):
            yield index.name, f"makes the index `{index.name}` otherwise than {database} has it"
    for name, index in ours.items():
        if name not in theirs:
            yield index.name, f"does not make the index `{index.name}`, which {database} has"


def _indexes(table: Table) -> dict[str, Index]:
    """The indexes that have a name of their own, by it."""
    return {index.name.lower(): index for index in table.indexes if not index.name.startswith("sqlite_")}


def _kind(column: Column, *, default: bool) -> str:
    words = [column.type.upper() or "of no type"]
    words += ["PRIMARY KEY"] * column.primary_key + ["NOT NULL"] * column.not_null
    return " ".join(words + ([f"DEFAULT {column.default}"] if default and column.default is not None else []))


def _edit(of: Migrations, names: Sequence[str], table: str, column: str | None, what: str) -> Finding:
    """A finding at the last applied file that speaks of *table* and, if any does, of *column* too."""
    for wanted in (column, None):
        for name in reversed(names):
            line = _line(of.files[name], table, wanted)
            if line:
                return finding(
                    "migration_edited",
                    f"{of.folder}/{name}",
                    f"{name} {what}: the file was edited after it was applied, or the database was changed by hand.",
                    line=line,
                    component="d1",
                )
    return finding(
        "migration_edited",
        of.folder,
        f"A migration {what}; the files were edited or it was done by hand.",
        component="d1",
    )


def _line(sql: str, table: str, column: str | None) -> int:
    """The line of the last statement of *sql* that speaks of *table*, or there of *column*; 0 when none does."""
    for statement in reversed(list(statements(sql))):
        if not re.match(r"(?i)(?:create|alter|drop)\b", statement.sql) or not _has(statement.sql, table):
            continue
        if column is None:
            return statement.line
        for number, text in enumerate(statement.sql.split("\n")):
            if _has(text, column):
                return statement.line + number
    return 0


def _has(text: str, name: str) -> bool:
    return re.search(rf"(?i)(?<!\w){re.escape(name)}(?!\w)", text) is not None
