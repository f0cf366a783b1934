"""Which remote databases there are: those that wrangler bindings name by id, and those of the account."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from mcp_daan.config import D1
from mcp_daan.d1.databases import Database, migrations_of
from mcp_daan.remembered import Looks
from mcp_daan.workspace import Workspace
from mcp_daan.wrangler import WranglerConfig

if TYPE_CHECKING:
    from mcp_daan.cloudflare import Cloudflare

# Of an account's databases, so many are listed; a plan holds up to 50,000.
MOST = 1000
PER_PAGE = 100
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def bound_databases(
    workspace: Workspace, settings: D1, named: Sequence[Database], account_id: str | None, looks: Looks
) -> list[Database]:
    """The remote databases of wrangler bindings, each id once, under names that none of *named* has.

    Where no *account_id* is set, a configuration's own holds.
    """
    found: list[Database] = []
    known: set[str] = set()
    names = {each.name for each in named if each.location == "remote"}
    for app in workspace.apps:
        for binding in app.d1_bindings():
            if binding.database_id is None or binding.database_id in known or not UUID.fullmatch(binding.database_id):
                continue
            known.add(binding.database_id)
            remote = Database(
                name=_free(binding.name, [binding.environment, binding.database_id[:8], binding.database_id], names),
                location="remote",
                id=binding.database_id,
                path=None,
                binding=binding.binding,
                app=workspace.relative(app.path.parent),
                migrations=migrations_of(app, binding, looks),
                migrations_table=binding.migrations_table,
                secret_columns=tuple(settings.secret_columns),
                migrations_pattern=binding.migrations_pattern,
                account_id=None if account_id else _account(app),
            )
            names.add(remote.name)
            found.append(remote)
    return found


def _account(app: WranglerConfig) -> str | None:
    account = app.values.get("account_id")
    return account if isinstance(account, str) and account else None


def account_databases(cloudflare: "Cloudflare", *, name: str | None = None) -> list[Mapping[str, Any]]:
    """The databases of the account as Cloudflare lists them, up to a thousand; with *name* those that bear it."""
    params: dict[str, str | int] = {"per_page": PER_PAGE} | ({"name": name} if name else {})
    found = cloudflare.listed(cloudflare.account("d1", "database"), params, limit=MOST)
    return [each for each in found if isinstance(each, dict) and isinstance(each.get("uuid"), str)]


def further_databases(
    listed: Iterable[Mapping[str, Any]], settings: D1, named: Sequence[Database], account_id: str | None
) -> list[Database]:
    """Those of the account's databases that *named* does not hold."""
    remote = [each for each in named if each.location == "remote"]
    known, names = {each.id for each in remote}, {each.name for each in remote}
    found: list[Database] = []
    for each in listed:
        if each["uuid"] not in known:
            name = _free(str(each.get("name") or each["uuid"]), [each["uuid"][:8], each["uuid"]], names)
            names.add(name)
            found.append(_of_account(name, each["uuid"], settings, account_id))
    return found


def completed(configured: Database, bound: Sequence[Database]) -> Database:
    """A remote database of the settings with what a binding of the same id knows of it besides."""
    twin = next((each for each in bound if each.id == configured.id), None)
    if twin is None:
        return configured
    return replace(twin, name=configured.name, account_id=configured.account_id)


def _of_account(name: str, uuid: str, settings: D1, account_id: str | None) -> Database:
    return Database(
        name=name,
        location="remote",
        id=uuid,
        path=None,
        binding=None,
        app=None,
        migrations=None,
        migrations_table="d1_migrations",
        secret_columns=tuple(settings.secret_columns),
        account_id=account_id,
    )


def _free(name: str, marks: Sequence[str | None], names: set[str]) -> str:
    """*name*, with the first of *marks* that makes it one that none of *names* is."""
    if name not in names:
        return name
    return next((marked for mark in marks if mark and (marked := f"{name}@{mark}") not in names), f"{name}@{marks[-1]}")
