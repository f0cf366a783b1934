"""The rehearsal itself: a scratch copy of a database, and migrations applied to it as D1 applies them."""

import re
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import apsw

from mcp_daan.d1.failures import in_our_words
from mcp_daan.d1.guard import LIMITS, MODULES, SQL_BYTES, internal, shown
from mcp_daan.d1.masking.catalog import quoted
from mcp_daan.d1.reading import snapshot
from mcp_daan.d1.rehearsals.objections import CLOUDFLARE, UNKNOWN_HERE, Bounds, objection
from mcp_daan.d1.rehearsals.outline import Renamed, differences, outline, removed_columns, renames
from mcp_daan.sqlite_files import close_off

PAGES_AT_ONCE = 1024
OPS_BETWEEN_LOOKS = 1000
# How much a migration may grow the copy.
GROWTH_BYTES = 256 << 20
COLUMNS_COUNTED = 20
ORPHANS_NAMED = 5
TABLE = (
    "CREATE TABLE IF NOT EXISTS {}(id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT UNIQUE,"
    " applied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP NOT NULL)"
)
UNFINISHED = "; the file's last statement lacks its semicolon, and wrangler appends an INSERT to it"
_IGNORED = re.compile(r"(?:\s|;|--[^\n]*(?:\n|\Z)|/\*.*?(?:\*/|\Z))*", re.S)
# What a SQLite without D1's option says of DELETE … ORDER BY … LIMIT.
LIMITED = ("near ORDER", "near LIMIT")
_Rows = dict[str, tuple[str, int]]


@dataclass
class Script:
    """One migration while it runs.

    *begun* holds where each statement began, *altering* those that rename, *written* the tables the last one writes.
    """

    name: str
    text: str
    whole: str
    bounds: Bounds = field(default_factory=Bounds)
    written: list[str] = field(default_factory=list)
    begun: list[int] = field(default_factory=lambda: [0])
    altering: list[str] = field(default_factory=list)

    def trace(self, _: object, sql: str, __: object) -> bool:
        """Note a statement that is about to run; one that is too long for D1 does not run."""
        self.begun.append(self.begun[-1] + len(sql))
        self.written, self.bounds.written = self.bounds.written, []
        if "RENAME" in sql.upper():
            self.altering.append(sql)
            # SQLite asks the authorizer about the old name only, D1's patched one about both.
            if any(internal(name) for name in renames(sql).tables.values()):
                self.bounds.denial = CLOUDFLARE
                return False
        return len(sql.strip().encode("utf-8", "replace")) <= SQL_BYTES

    def line(self, start: int) -> int:
        """The line at which the statement at *start* begins, comments before it passed over."""
        found = _IGNORED.match(self.text, start)
        return self.text.count("\n", 0, found.end() if found else start) + 1


def rehearse(
    path: str | None, scratch: str, table: str, files: Sequence[tuple[str, str]], copy_bytes: int, seconds: float
) -> Iterator[dict[str, Any]]:
    """Copy *path* to *scratch* and apply *files*, (name, text) in order; tells of each step.

    Without a path the copy is an empty database; of one larger than *copy_bytes* only the schema is copied.
    """
    deadline = time.monotonic() + seconds
    renamed = Renamed()
    with in_our_words(), closing(apsw.Connection(scratch)) as connection:
        copied = _copy(Path(path), connection, copy_bytes, seconds, table) if path else "empty"
        _prepare(connection, deadline)
        connection.execute(TABLE.format(quoted(table)))
        before = outline(connection, table)
        rows = _rows(connection, table) if copied == "copy" else None
        yield {"copied": copied, "sizeBefore": _bytes(connection)}
        for name, text in files:
            told = _apply(connection, name, text, table, renamed)
            yield told
            if not told["ok"]:
                break
        connection.set_progress_handler(None)
        after = outline(connection, table)
        yield {"schemaDiff": list(differences(before, after, renamed)), "sizeAfter": _bytes(connection)}
        connection.set_progress_handler(lambda: time.monotonic() >= deadline, OPS_BETWEEN_LOOKS)
        left = _rows(connection, table) if rows is not None else None
        if rows is not None and left is not None:
            yield {"rowsLost": list(_lost(rows, left, renamed))}
    if path and copied == "copy":
        gone = removed_columns(before, after, renamed)[:COLUMNS_COUNTED]
        yield {"valuesLost": _held(Path(path), gone, deadline - time.monotonic())}


def _copy(path: Path, connection: apsw.Connection, copy_bytes: int, seconds: float, table: str) -> str:
    deadline = time.monotonic() + seconds
    with snapshot(path, seconds=seconds) as source:
        if _bytes(source) > copy_bytes:
            _copy_schema(source, connection, table)
            return "schema"
        with connection.backup("main", source, "main") as backup:
            while not backup.done:
                backup.step(PAGES_AT_ONCE)
                if time.monotonic() >= deadline:
                    raise apsw.InterruptError
    return "copy"


def _copy_schema(source: apsw.Connection, connection: apsw.Connection, table: str) -> None:
    """Every table, index, view and trigger without rows; the migrations table with them."""
    kinds = {name: kind for _, name, kind, *_ in source.execute("PRAGMA main.table_list")}
    order = "CASE type WHEN 'table' THEN 0 WHEN 'index' THEN 1 WHEN 'view' THEN 2 ELSE 3 END, rowid"
    for name, sql in source.execute(f"SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY {order}"):
        if kinds.get(name) != "shadow" and not name.lower().startswith("sqlite_"):
            with suppress(apsw.SQLError):  # it stands in the file broken, and so it cannot matter to a migration
                connection.execute(sql)
    if table in kinds:
        for row in source.execute(f"SELECT * FROM {quoted(table)}"):
            connection.execute(f"INSERT INTO {quoted(table)} VALUES ({', '.join('?' * len(row))})", row)


def _prepare(connection: apsw.Connection, deadline: float) -> None:
    """D1's own settings and limits."""
    # The copy is thrown away: a journal is only needed to roll one migration back.
    connection.execute("PRAGMA journal_mode = TRUNCATE; PRAGMA synchronous = OFF; PRAGMA foreign_keys = ON").fetchall()
    room = (_bytes(connection) + GROWTH_BYTES) // connection.pragma("page_size")
    connection.execute(f"PRAGMA max_page_count = {room}").fetchall()
    close_off(connection, MODULES)
    for which, value in LIMITS.items():
        # D1 sees one statement at a time, SQLite here the whole file: the trace holds each to its length.
        connection.limit(which, value if which != apsw.SQLITE_LIMIT_SQL_LENGTH else LIMITS[apsw.SQLITE_LIMIT_LENGTH])
    connection.set_progress_handler(lambda: time.monotonic() >= deadline, OPS_BETWEEN_LOOKS)


def _apply(connection: apsw.Connection, name: str, text: str, table: str, renamed: Renamed) -> dict[str, Any]:
    """Apply one migration as wrangler does: its text and an INSERT in one transaction, rolled back if it fails."""
    started, changes = time.monotonic(), connection.total_changes()
    recorded = name.replace("'", "''")
    script = Script(name, text, f"{text}\nINSERT INTO {quoted(table)} (name)\nvalues ('{recorded}');")
    told: dict[str, Any] = {"file": name, "ok": True}
    connection.execute("BEGIN")
    try:
        cursor = connection.cursor()
        cursor.exec_trace = script.trace
        connection.authorizer = script.bounds
        for _ in cursor.execute(script.whole, can_cache=False):
            pass
        connection.authorizer = None
        connection.execute("COMMIT")
        for sql in script.altering:
            renamed.note(sql)
    except (apsw.Error, MemoryError) as error:
        told |= _failure(connection, script, error)
    return {
        **told,
        "statements": max(len(script.begun) - 2, 0),
        "rowsChanged": connection.total_changes() - changes - 1 if told["ok"] else 0,
        "durationMs": round((time.monotonic() - started) * 1000, 1),
    }


def _failure(connection: apsw.Connection, script: Script, error: BaseException) -> dict[str, Any]:
    """Why and where *script* failed; the copy is as it was before it."""
    connection.set_progress_handler(None)
    connection.authorizer = None
    start = _start(connection, script, error)
    code, why = _why(script, start, error)
    if isinstance(error, apsw.ConstraintError) and "FOREIGN KEY" in str(error):
        why += _orphans(connection) or _writing(script)
    if connection.in_transaction:  # else SQLite rolled it back itself, as it does when memory or room runs out
        connection.execute("ROLLBACK")
    if start is not None and ";" not in script.text[start:]:
        if script.text[start:].strip():
            why += UNFINISHED
        else:
            start = None
    return {"ok": False, "code": code, "error": why, "line": None if start is None else script.line(start)}


def _why(script: Script, start: int | None, error: BaseException) -> tuple[str, str]:
    if isinstance(error, apsw.ExecTraceAbort):
        error = apsw.AuthError() if script.bounds.denial else apsw.TooBigError()
    code, why = objection(error, script.bounds.denial)
    if start is not None and why.endswith(LIMITED):
        words = _IGNORED.sub("", script.text[start : start + 2000], count=1).lstrip().upper()
        if words.startswith(("DELETE", "UPDATE", "WITH")):
            return code, UNKNOWN_HERE
    return code, why


def _start(connection: apsw.Connection, script: Script, error: BaseException) -> int | None:
    """Where the statement that failed begins; None when it was the COMMIT."""
    following = script.begun[-1]
    if len(script.begun) == 1:
        return following
    last = script.begun[-2]
    if isinstance(error, apsw.ExecTraceAbort) or not connection.in_transaction:
        return last
    if isinstance(error, apsw.ConstraintError):
        return last if following < len(script.whole) or last >= len(script.text) else None
    # SQLite does not tell whether the last statement failed, or the next one could not be prepared: ask again.
    cursor = connection.cursor()
    cursor.exec_trace = lambda *_: False
    connection.authorizer = Bounds()
    try:
        cursor.execute(script.whole[following:], can_cache=False)
    except apsw.ExecTraceAbort:
        return last
    except apsw.Error as again:
        return following if str(again) == str(error) else last
    finally:
        connection.authorizer = None
    return last


def _writing(script: Script) -> str:
    own = [name for name in script.written if not name.startswith("sqlite_")]
    return f": rows that {shown(own[0])} refers to are missing, or rows that refer to it remain" if own else ""


def _orphans(connection: apsw.Connection) -> str:
    """Which tables would refer to rows that are not there."""
    pairs: dict[tuple[str, str], int] = {}
    with suppress(apsw.Error):
        for child, _, parent, _ in connection.execute("PRAGMA foreign_key_check"):
            pairs[child, parent] = pairs.get((child, parent), 0) + 1
    told = [
        f"{count} of {shown(child)} would refer to {shown(parent)} rows that are not there"
        for (child, parent), count in list(pairs.items())[:ORPHANS_NAMED]
    ]
    return f": {'; '.join(told)}" if told else ""


def _rows(connection: apsw.Connection, table: str) -> _Rows | None:
    """(name, rows) of each ordinary table by lower-case name; None where there is no time to count."""
    names = [
        str(name)
        for _, name, kind, *_ in connection.execute("PRAGMA main.table_list").fetchall()
        if kind == "table" and not internal(str(name)) and not str(name).startswith("sqlite_") and name != table
    ]
    try:
        return {name.lower(): (name, _count(connection, f"main.{quoted(name)}", "*")) for name in names}
    except apsw.InterruptError:
        return None


def _lost(before: _Rows, after: _Rows, renamed: Renamed) -> Iterator[dict[str, Any]]:
    for key, (name, rows) in before.items():
        now = after.get(key) or after.get(renamed.tables.get(key, key))
        left = now[1] if now else 0
        if rows > left:
            yield {"table": name, "before": rows, "after": left, "dropped": now is None}


def _held(path: Path, columns: Sequence[tuple[str, str]], seconds: float) -> list[dict[str, Any]]:
    """How many values stand in each of *columns*, which would be gone."""
    held = []
    with suppress(apsw.InterruptError), snapshot(path, seconds=max(seconds, 0.1)) as source:
        for table, column in columns:
            count = _count(source, f"main.{quoted(table)}", quoted(column))
            if count:
                held.append({"table": table, "column": column, "values": count})
    return held


def _count(connection: apsw.Connection, table: str, what: str) -> int:
    rows: list[tuple[Any, ...]] = connection.execute(f"SELECT count({what}) FROM {table}").fetchall()
    return int(rows[0][0])


def _bytes(connection: apsw.Connection) -> int:
    return int(connection.pragma("page_count") * connection.pragma("page_size"))
