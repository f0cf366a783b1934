"""A local database held against the remote one of the same id: what their schemas differ in."""

from collections.abc import Sequence

from mcp_daan.d1.databases import Database, local_file
from mcp_daan.d1.health.checks import Check
from mcp_daan.d1.health.examined import ITEMS
from mcp_daan.d1.reading import reading
from mcp_daan.d1.rehearsals.outline import Renamed, differences, outline
from mcp_daan.d1.remote.access import Remote
from mcp_daan.d1.remote.schemas import Schemas
from mcp_daan.d1.remote.shadow import shadow
from mcp_daan.errors import DaanError, NotFound

CODE = "remote_schema"


def twin(database: Database, databases: Sequence[Database]) -> Database | None:
    """The database of the same id in the other place."""
    if database.id is None:
        return None
    others = (each for each in databases if each.location != database.location)
    return next((each for each in others if each.id == database.id), None)


def compared(local: Database, remote: Remote, schemas: Schemas, *, seconds: float) -> Check:
    """One check: what the local schema has, lacks or has otherwise than the remote one."""
    if not local.exists:
        return not_compared("Not compared: there is no local file.")
    try:
        with shadow(schemas.read(remote), seconds=seconds) as connection:
            there = outline(connection, remote.database.migrations_table)
        with reading(local_file(local), seconds=seconds) as connection:
            here = outline(connection, local.migrations_table)
    except NotFound:
        return not_compared("Not compared: Cloudflare has no database of this id in the account.")
    except DaanError as error:
        return not_compared(f"Not compared: {error.message}", ok=False)
    lines = list(differences(there, here, Renamed()))
    if not lines:
        return Check(code=CODE, ok=True, severity="info", message="The local schema is that of the remote database.")
    more = f" The first {ITEMS} are told." if len(lines) > ITEMS else ""
    return Check(
        code=CODE,
        ok=False,
        severity="warning",
        message=f"The local schema differs from the remote one in {len(lines)}"
        f" {'place' if len(lines) == 1 else 'places'}, told as what makes the remote one into the local one.{more}",
        detail=[{"text": line} for line in lines[:ITEMS]],
    )


def not_compared(message: str, *, ok: bool = True) -> Check:
    """The check that was not done; not *ok* where it should have been."""
    return Check(code=CODE, ok=ok, severity="info", message=message, skipped=True)
