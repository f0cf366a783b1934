"""The health of a database, looked at in a process apart."""

from collections.abc import Callable
from typing import Any

from mcp_daan.d1.apart import told
from mcp_daan.d1.databases import Database, local_file
from mcp_daan.d1.failures import missing_file
from mcp_daan.d1.health.examination import CHECKS, DEEP
from mcp_daan.protocol import Model, Severity

Done = Callable[[int, str], None]
GONE = "This was not checked: there was no time or memory, or the file is damaged."


# A place: what of table, column, columns, parent, rows, rowids, bytes, texts, numbers, file and text a check has to
# tell, and `sql`, a statement that mends or finds it.
Place = dict[str, Any]


class Check(Model):
    """One check; `skipped` says that it was not done, or not to its end. `detail` names up to twenty places."""

    code: str
    ok: bool
    severity: Severity
    message: str
    skipped: bool = False
    detail: list[Place] | None = None


def checked(database: Database, *, deep: bool, seconds: float, done: Done) -> list[Check]:
    """What holds of the file of *database*, in the order of the checks; *deep* ones read every row.

    Raises NotFound without a file, Unavailable for a remote database and for a file that SQLite does not open.
    """
    path = local_file(database)
    if not database.exists:
        raise missing_file()
    request = {
        "path": str(path),
        "migrations_table": database.migrations_table,
        "patterns": list(database.secret_columns),
        "deep": deep,
    }
    found: list[Check] = []
    for said in told("checks", request, seconds=seconds):
        if "code" in said:
            found.append(_check(said))
            done(len(found), said["code"])
    codes = [*CHECKS, *(DEEP if deep else ())]
    missing = [code for code in codes if code not in {each.code for each in found}]
    return found + [Check(code=code, ok=False, severity="info", message=GONE, skipped=True) for code in missing]


def _check(said: dict[str, object]) -> Check:
    items = said.pop("items")
    return Check.model_validate({**said, "detail": items or None})
