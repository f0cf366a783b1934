"""The checks of a database, one after the other over one connection, each within its share of the time."""

import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import apsw

from mcp_daan.d1.failures import MEANING
from mcp_daan.d1.health import soundness, tidiness
from mcp_daan.d1.health.examined import ITEMS, Examined, Finding
from mcp_daan.d1.reading import snapshot
from mcp_daan.errors import Unavailable
from mcp_daan.sqlite_files import OPS_BETWEEN_LOOKS

Check = Callable[[Examined], Finding]
# The first ones read the schema only; the last ones are for those who ask for them.
CHECKS: dict[str, Check] = {
    "database_size": soundness.database_size,
    "foreign_key_indexes": tidiness.foreign_key_indexes,
    "primary_keys": tidiness.primary_keys,
    "integrity": soundness.integrity,
    "foreign_keys": soundness.foreign_keys,
    "orphaned_rows": soundness.orphaned_rows,
    "row_size": soundness.row_size,
}
DEEP: dict[str, Check] = {"dead_columns": tidiness.dead_columns, "text_dates": tidiness.text_dates}
DAMAGED = "The file is damaged: SQLite cannot read it to its end."


def examine(
    path: str, migrations_table: str, patterns: Sequence[str], deep: bool, seconds: float
) -> Iterator[dict[str, Any]]:
    """Each check of the file at *path* as {code, ok, severity, message, items, skipped}, as soon as it is done.

    Of a file that SQLite opens and cannot read, only its damage is told. Raises as `snapshot` does otherwise.
    """
    deadline = time.monotonic() + seconds
    checks = CHECKS | (DEEP if deep else {})
    try:
        with snapshot(Path(path), seconds=seconds) as connection:
            for place, (code, check) in enumerate(checks.items()):
                now = time.monotonic()
                share = now + (deadline - now) / (len(checks) - place)
                connection.set_progress_handler(partial(_over, share), OPS_BETWEEN_LOOKS)
                yield {"code": code, **_found(connection, check, migrations_table, patterns, deep)}
    except Unavailable as error:
        if error.message != MEANING[apsw.CorruptError][1]:
            raise
        yield {"code": "integrity", **_told(Finding(DAMAGED, "error", False))}


def _over(moment: float) -> bool:
    return time.monotonic() >= moment


def _found(
    connection: apsw.Connection, check: Check, migrations_table: str, patterns: Sequence[str], deep: bool
) -> dict[str, Any]:
    found: list[dict[str, Any]] = []
    try:
        examined = Examined(connection, patterns, migrations_table, deep, found)
        return _told(check(examined))
    except apsw.InterruptError:
        finding = Finding("There was no time to check this to its end.", "warning" if found else "info", False, found)
        return {**_told(finding), "skipped": True}
    except apsw.CorruptError:
        return _told(Finding(DAMAGED, "error", False, found))


def _told(finding: Finding) -> dict[str, Any]:
    more = f" The first {ITEMS} of {len(finding.items)} places are told." if len(finding.items) > ITEMS else ""
    return {
        "ok": finding.ok,
        "severity": finding.severity,
        "message": finding.message + more,
        "items": finding.items[:ITEMS],
        "skipped": False,
    }
