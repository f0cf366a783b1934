"""The health of a D1 database."""

import json
from collections.abc import Sequence
from hashlib import sha256
from typing import Annotated

from pydantic import Field

from mcp_daan.app import App
from mcp_daan.d1.databases import Database
from mcp_daan.d1.guard import shown
from mcp_daan.d1.health.checks import Check, checked
from mcp_daan.d1.migrations import duplicates
from mcp_daan.d1.remote.checks import checked_remotely
from mcp_daan.d1.remote.comparison import CODE, compared, not_compared, twin
from mcp_daan.errors import DaanError
from mcp_daan.paging import page
from mcp_daan.protocol import Model, Reply, Severity
from mcp_daan.toolbox import Cursor, tool
from mcp_daan.tools.held import Held, hold
from mcp_daan.tools.migrations import migration_state
from mcp_daan.tools.query import Name

PLACES = 20
# A deep check reads every row.
DEEP_TIMES = 6
MOST_SECONDS = 60.0
GRAVITY: dict[Severity, int] = {"error": 0, "warning": 1, "info": 2}
NEXT = {
    "integrity": "Stop writing to the file and restore it: export what can be read, or make it anew from its migrations.",
    "foreign_keys": "Look at the rows that `detail` names with `d1_query`, and mend or delete them in a migration.",
    "orphaned_rows": "Mend the orphaned rows, then declare the foreign keys in a migration.",
    "row_size": "Move large values to R2 or KV and keep their keys: D1 refuses rows over 2 MB.",
    "database_size": "Delete or archive rows before the limit stops every write.",
    "foreign_key_indexes": "Add the indexes that `detail` gives as `sql`, in a migration.",
    "migrations": "Call `d1_migrations` with `rehearse` for what waits and what was edited.",
    "remote_schema": "Apply the migrations that one of the two lacks, or look at `d1_migrations` of both.",
    "text_dates": "Find those rows with the `sql` of `detail` and write them as YYYY-MM-DD HH:MM:SS.",
}
STEPS = 4


class Checks(Model):
    """The checks that were done, the gravest failures first; `partial` says that some were not done to their end."""

    checks: list[Check]
    partial: bool
    next_cursor: str | None


@tool(title="Check a D1 database", component="d1", reads_only=True)
def d1_check(
    app: App,
    database: Name,
    deep: Annotated[bool, Field(description="Also integrity in full, dead columns, text dates.")] = False,
    cursor: Cursor = None,
) -> Reply[Checks]:
    """Check the health of a D1 database: damage, foreign keys, limits, missing indexes and keys, migrations.

    A check that fails is a finding with `ok` false; `detail` names the places, never a secret's value.
    """
    chosen = app.database(database)
    seconds = app.settings.limits.statement_seconds
    if chosen.location == "remote":
        done = checked_remotely(app.remote(chosen), app.schemas, deep=deep, seconds=seconds)
    else:
        within = min(seconds * DEEP_TIMES, MOST_SECONDS) if deep else seconds
        done = checked(chosen, deep=deep, seconds=within, done=lambda count, code: app.progress(count, None, code))
    done += [_migrations(hold(app, chosen)), _remote_schema(app, chosen)]
    done.sort(key=lambda check: (check.ok, GRAVITY[check.severity]))
    cut_short = any(check.skipped and not check.ok for check in done)
    mark = sha256(json.dumps([database, deep, len(done)]).encode()).hexdigest()[:12]
    part = page(done, limit=len(done), cursor=cursor, max_bytes=app.max_answer_bytes, mark=mark)
    return Reply(
        summary=_summary(database, done),
        data=Checks(checks=part.items, partial=cut_short, next_cursor=part.next_cursor),
        artifacts=[f"d1://{database}"],
        recommendations=["Pass `data.nextCursor` as `cursor` for the rest."] * part.cut + _advice(done, seconds),
        partial=bool(part.cut or cut_short),
    )


def _migrations(held: Held) -> Check:
    """What `d1_migrations` would say, in one check."""
    try:
        if held.problem is not None:
            raise held.problem
        state = migration_state(held)
    except DaanError as error:
        return Check(code="migrations", ok=False, severity="info", message=error.message, skipped=True)
    if held.database.migrations is None and not state.applied:
        return Check(code="migrations", ok=True, severity="info", message="There are no migrations.", skipped=True)
    parts: list[tuple[Sequence[object], str, str]] = [
        (state.pending, "pending", "warning"),
        (state.unknown, "recorded without a file", "error"),
        (state.edited, "edited since they were applied", "error"),
        ([] if state.edited else state.edits, "differences that were made by hand", "warning"),
        (duplicates(state.files), "numbers used twice", "warning"),
    ]
    wrong = [f"{len(which)} {what}" for which, what, _ in parts if which]
    names = [*state.unknown, *state.edited, *state.pending]
    return Check(
        code="migrations",
        ok=not wrong,
        severity="error" if any(which for which, _, how in parts if how == "error") else "warning" if wrong else "info",
        message=f"Migrations: {', '.join(wrong)}." if wrong else f"All {len(state.applied)} migrations are applied.",
        detail=[{"file": shown(name)} for name in names[:PLACES]] or None,
    )


def _remote_schema(app: App, database: Database) -> Check:
    """The local schema against that of the remote database of the same id."""
    other = twin(database, app.reachable)
    local, remote = (database, other) if database.location == "local" else (other, database)
    if local is None or remote is None:
        return not_compared(f"Not compared: no {'local' if local is None else 'remote'} database has the same id.")
    try:
        if app.cloudflare is None:
            return not_compared("Not compared: set CLOUDFLARE_API_TOKEN to a token with `D1 Read`.")
        reached = app.remote(remote)
    except DaanError as error:
        return not_compared(f"Not compared: {error.message}", ok=False)
    return compared(local, reached, app.schemas, seconds=app.settings.limits.statement_seconds)


def _summary(database: str, done: list[Check]) -> str:
    failed = [check.code for check in done if not check.ok and not check.skipped]
    skipped = [check.code for check in done if not check.ok and check.skipped]
    told = f"{database}: {sum(check.ok and not check.skipped for check in done)} checks pass"
    told += f", {len(failed)} {'does' if len(failed) == 1 else 'do'} not: {', '.join(failed)}" if failed else ""
    return f"{told}." + (f" Not done: {', '.join(skipped)}." if skipped else "")


def _advice(done: list[Check], seconds: float) -> list[str]:
    advice = [NEXT[check.code] for check in done if not check.ok and not check.skipped and check.code in NEXT][:STEPS]
    if any(check.skipped and not check.ok and check.code != CODE for check in done):
        advice.append(
            f"Raise `statement_seconds` under `[limits]` in daan.toml (now {seconds:g}) for what had no time."
        )
    return advice
