"""What can be told of a remote database's health without reading every row of it."""

from collections.abc import Callable, Sequence
from typing import Any

from mcp_daan.d1.health import tidiness
from mcp_daan.d1.health.checks import Check
from mcp_daan.d1.health.examined import ITEMS, Examined, Finding
from mcp_daan.d1.health.soundness import size_found
from mcp_daan.d1.remote.access import Remote
from mcp_daan.d1.remote.schemas import Schemas
from mcp_daan.d1.remote.shadow import shadow

# By the schema alone.
SCHEMA: dict[str, Callable[[Examined], Finding]] = {
    "foreign_key_indexes": tidiness.foreign_key_indexes,
    "primary_keys": tidiness.primary_keys,
}
COSTLY = ("integrity", "foreign_keys")
LOCAL = ("orphaned_rows", "row_size")
BILLED = "Not done: it reads every row, which D1 bills. Ask with `deep`."
ELSEWHERE = "Not done on Cloudflare; check the local database."


def checked_remotely(remote: Remote, schemas: Schemas, *, deep: bool, seconds: float) -> list[Check]:
    """Size, and what the schema shows; *deep* asks D1 itself for damage and lost references, which reads every row."""
    size = remote.about().get("file_size")
    done = [_check("database_size", size_found(size))] if isinstance(size, int) else []
    with shadow(schemas.read(remote), seconds=seconds) as connection:
        examined = Examined(connection, remote.database.secret_columns, remote.database.migrations_table, deep)
        for code, check in SCHEMA.items():
            examined.found = []
            done.append(_check(code, check(examined)))
    if deep:
        done += [_check("integrity", _integrity(remote)), _check("foreign_keys", _foreign_keys(remote))]
    else:
        done += [_skipped(code, BILLED) for code in COSTLY]
    return done + [_skipped(code, ELSEWHERE) for code in LOCAL]


def _integrity(remote: Remote) -> Finding:
    said = [str(row[0]) for row in remote.ask("PRAGMA quick_check", width=1).rows]
    if said == ["ok"]:
        return Finding("The database is sound, by D1's quick_check.")
    return Finding(
        f"D1's quick_check tells {len(said)} {'problem' if len(said) == 1 else 'problems'}.",
        "error",
        False,
        [{"text": each[:200]} for each in said[:ITEMS]],
    )


def _foreign_keys(remote: Remote) -> Finding:
    counts: dict[tuple[str, str], int] = {}
    for table, _, parent, _ in _four(remote.ask("PRAGMA foreign_key_check", width=4).rows):
        counts[table, parent] = counts.get((table, parent), 0) + 1
    if not counts:
        return Finding("Every foreign key finds its row.")
    return Finding(
        f"Foreign keys fail: {sum(counts.values())} rows refer to rows that are not there.",
        "error",
        False,
        [{"table": table, "parent": parent, "rows": rows} for (table, parent), rows in counts.items()],
    )


def _four(rows: Sequence[Sequence[Any]]) -> list[tuple[str, object, str, object]]:
    return [(str(table), row, str(parent), key) for table, row, parent, key in rows]


def _check(code: str, finding: Finding) -> Check:
    return Check(
        code=code,
        ok=finding.ok,
        severity=finding.severity,
        message=finding.message,
        detail=finding.items[:ITEMS] or None,
    )


def _skipped(code: str, message: str) -> Check:
    return Check(code=code, ok=True, severity="info", message=message, skipped=True)
