"""The state of migrations, and a rehearsal of those that wait."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Annotated, Any

from pydantic import Field

from mcp_daan.app import App
from mcp_daan.d1.databases import Database
from mcp_daan.d1.guard import shown
from mcp_daan.d1.migrations import FOLDERS, duplicates, gaps, migration_files, number, out_of_order
from mcp_daan.d1.rehearsals.rehearsal import FileRun, Rehearsal, RowsLost, ValuesLost, rehearsed
from mcp_daan.d1.remote.shadow import schema_file
from mcp_daan.errors import Unavailable
from mcp_daan.knowledge.validation.edits import migration_findings
from mcp_daan.paging import page_lists
from mcp_daan.protocol import Model, Reply
from mcp_daan.toolbox import Cursor, tool
from mcp_daan.tools.held import Held, hold, recorded
from mcp_daan.tools.query import Name

NAMED = 5
# What D1's free plan writes a day, and how large a database it keeps.
FREE_ROWS = 100_000
FREE_BYTES = 500_000_000


class Edit(Model):
    """Where the applied files and the schema differ; `file` is null where no file can be named."""

    file: str | None
    line: int | None
    message: str


class Duplicate(Model):
    """Migrations of one number: their order is that of their names."""

    number: int | None
    files: list[str]


class Migrations(Model):
    """Names in wrangler's order; `unknown` are recorded as applied and have no file, `edited` were changed since.

    `outOfOrder` wait although a later one is applied. `editsKnown` is false where nobody could tell.
    """

    applied: list[str]
    pending: list[str]
    unknown: list[str]
    edited: list[str]
    edits: list[Edit]
    edits_known: bool
    duplicates: list[Duplicate]
    gaps: list[int]
    out_of_order: list[str]
    rehearsal: Rehearsal | None
    next_cursor: str | None


@dataclass(frozen=True)
class State:
    """What files and database say of one another; `unchecked` says why edits are not known."""

    files: list[str]
    applied: list[str]
    pending: list[str]
    unknown: list[str]
    edited: list[str]
    edits: list[Edit]
    unchecked: str | None


@tool(title="Check D1 migrations", component="d1", reads_only=True)
def d1_migrations(
    app: App,
    database: Name,
    rehearse: Annotated[bool, Field(description="Try the pending ones on a scratch copy.")] = False,
    cursor: Cursor = None,
) -> Reply[Migrations]:
    """Tell which migrations are applied, pending, unknown or edited since; nothing is ever applied to the database.

    Before `wrangler d1 migrations apply`, pass `rehearse`: which would fail and at which line, which rows would be
    lost, what the schema becomes.
    """
    chosen = app.database(database)
    held = hold(app, chosen)
    if held.problem is not None:
        raise held.problem
    state = migration_state(held)
    tried, whole = _rehearsed(app, held, state) if rehearse else (None, True)
    lists = _lists(state, tried)
    parts, part = page_lists(lists, cursor=cursor, max_bytes=app.max_answer_bytes, mark=_mark(database, lists))
    return Reply(
        summary=_summary(database, state, tried),
        data=_payload(parts, state, tried, part.next_cursor),
        artifacts=[app.workspace.relative(chosen.migrations)] if chosen.migrations else [],
        recommendations=["Pass `data.nextCursor` as `cursor` for the rest."] * part.cut + _advice(held, state, tried),
        partial=bool(part.cut or not whole or held.unreadable or (state.unchecked and not state.unknown)),
    )


def migration_state(held: Held) -> State:
    """How the files of a database and its own record stand to one another."""
    files, applied = list(held.files), held.applied or []
    found = [each for each in migration_findings(recorded(held, "")) if each.code in ("migration_edited", "unchecked")]
    edits = [
        Edit(file=each.path.lstrip("/") or None, line=each.line, message=each.message)
        for each in found
        if each.code == "migration_edited"
    ]
    unknown = [name for name in applied if name not in held.files]
    return State(
        files=files,
        applied=applied,
        pending=[name for name in files if name not in applied],
        unknown=unknown,
        edited=[name for name in files if name in applied and name in {each.file for each in edits}],
        edits=edits,
        unchecked=_unchecked(held, unknown, [each.message for each in found if each.code == "unchecked"]),
    )


def _unchecked(held: Held, unknown: Sequence[str], said: Sequence[str]) -> str | None:
    if unknown:
        return "Files of applied migrations are missing, so nobody can tell whether others were edited."
    if held.unreadable:
        return "A migration cannot be read, so nobody can tell whether any was edited."
    return said[0] if said else None


def _rehearsed(app: App, held: Held, state: State) -> tuple[Rehearsal, bool]:
    unreadable = [name for name in state.pending if name in held.unreadable]
    if unreadable:
        raise Unavailable(
            f"The pending migration {shown(unreadable[0])} cannot be read.",
            advice="Save it as UTF-8 text of at most 4 MiB; wrangler cannot apply it either.",
        )
    files = [(name, held.files[name]) for name in state.pending]

    def done(count: int, name: str) -> None:
        app.progress(count, len(files), shown(name))

    if held.database.location == "local":
        return rehearsed(held.database, files, done=done)
    schema, _ = app.schemas.known(app.remote(held.database))
    with schema_file(schema, seconds=app.settings.limits.statement_seconds) as file:
        return rehearsed(replace(held.database, path=file), files, done=done, copy_bytes=0)


def _lists(state: State, tried: Rehearsal | None) -> dict[str, Sequence[Any]]:
    """Everything that may be long, paged as one list."""
    names = state.files
    lists: dict[str, Sequence[Any]] = {
        "pending": state.pending,
        "unknown": state.unknown,
        "edited": state.edited,
        "edits": state.edits,
        "duplicates": [Duplicate(number=number(each[0]), files=each) for each in duplicates(names)],
        "gaps": gaps(names),
        "out_of_order": out_of_order(names, state.applied),
    }
    if tried is not None:
        lists |= {f"rehearsal.{name}": getattr(tried, name) for name in TRIED}
    return {**lists, "applied": state.applied}


TRIED: dict[str, type[Model] | None] = {
    "rows_lost": RowsLost,
    "values_lost": ValuesLost,
    "files": FileRun,
    "schema_diff": None,
}


def _payload(
    parts: Mapping[str, list[Any]], state: State, tried: Rehearsal | None, next_cursor: str | None
) -> Migrations:
    own = {name: items for name, items in parts.items() if not name.startswith("rehearsal.")}
    if tried is not None:
        tried = tried.model_copy(update={name: parts[f"rehearsal.{name}"] for name in TRIED})
    return Migrations(**own, edits_known=state.unchecked is None, rehearsal=tried, next_cursor=next_cursor)


def _mark(database: str, lists: Mapping[str, Sequence[object]]) -> str:
    sizes = json.dumps([database, {name: len(items) for name, items in lists.items()}])
    return sha256(sizes.encode()).hexdigest()[:12]


def _summary(database: str, state: State, tried: Rehearsal | None) -> str:
    counts = [(len(state.applied), "applied"), (len(state.pending), "pending")]
    counts += [(len(each), name) for each, name in ((state.unknown, "unknown"), (state.edited, "edited")) if each]
    told = f"{database}: " + ", ".join(f"{count} {name}" for count, name in counts) + "."
    if tried is None:
        return told
    if tried.failed_file is not None:
        return f"{told} The rehearsal fails at {shown(tried.failed_file)}."
    lost = f" {_tables(tried)}." if tried.rows_lost else ""
    return f"{told} The rehearsal succeeds.{lost}"


def _tables(tried: Rehearsal) -> str:
    count = len(tried.rows_lost)
    return f"{count} table loses rows" if count == 1 else f"{count} tables lose rows"


def _advice(held: Held, state: State, tried: Rehearsal | None) -> list[str]:
    """What to do next, the gravest first."""
    advice = _about_files(held.database, state)
    if tried is not None:
        advice += _about_rehearsal(tried, held.database)
    elif state.pending:
        advice.append("Pass `rehearse` to see what the pending ones would do.")
    return advice


def _about_files(database: Database, state: State) -> list[str]:
    advice = []
    if state.unknown:
        advice.append(f"Find the missing files in git before you apply anything: {_few(state.unknown)}.")
    if state.edits and not state.edited:
        advice.append("The schema has what no applied migration makes, as `data.edits` says: write it into a new one.")
    if state.edited:
        advice.append(
            "Undo the edits of applied migrations and write new ones instead: wrangler never runs them again."
        )
    if state.unchecked:
        advice.append(state.unchecked)
    late = out_of_order(state.files, state.applied)
    if late:
        advice.append(f"These wait although later ones are applied; check that they still fit: {_few(late)}.")
    if database.migrations_pattern.startswith("../"):
        advice.append("`migrations_pattern` does not lie below `migrations_dir`: wrangler refuses it.")
    elif database.migrations is None:
        advice.append("There is no migrations folder; `migrations_dir` of the binding says where wrangler looks.")
    elif not state.files and migration_files(database.migrations, FOLDERS):
        advice.append(f"Set `migrations_pattern` to the folder and `/{FOLDERS}`: wrangler sees no migration otherwise.")
    return advice


def _about_rehearsal(tried: Rehearsal, database: Database) -> list[str]:
    advice = []
    if tried.failed_file is not None:
        advice.append(f"Mend {shown(tried.failed_file)} as `data.rehearsal.error` says, and rehearse again.")
    if tried.rows_lost:
        names = [shown(each.table) for each in tried.rows_lost]
        advice.append(
            f"Make sure that these rows may go: {_few(names)}. A dropped table takes rows that cascade to it."
        )
    if tried.values_lost:
        names = [f"{shown(each.table)}.{shown(each.column)}" for each in tried.values_lost]
        advice.append(f"Make sure that the values of these columns may go: {_few(names)}.")
    if database.location == "remote":
        advice.append(
            "The rehearsal had the remote schema and no rows: what rows may fail by, as UNIQUE, NOT NULL, CHECK or a"
            " foreign key, and what would be lost is not known. Rehearse on the local database as well."
        )
    elif tried.data == "schema":
        advice.append("The database is too large to copy: the rehearsal had its schema and no rows.")
    if max((each.rows_changed for each in tried.files), default=0) > FREE_ROWS:
        advice.append("A migration writes more rows than D1's free plan allows in a day (100,000).")
    if tried.size_after > FREE_BYTES >= tried.size_before:
        advice.append("The database grows past the 500 MB of D1's free plan.")
    return advice


def _few(names: Sequence[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(shown(name) for name in names[:NAMED]) + more
