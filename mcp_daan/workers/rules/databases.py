"""Ids of databases and namespaces, and where migrations are looked for."""

import re
from collections.abc import Iterator
from typing import Any

from mcp_daan.workers.bindings import Bound, bound
from mcp_daan.workers.configuration.reading import Scope, text
from mcp_daan.workers.finding import Finding, found, name
from mcp_daan.workers.seen import Seen

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.I)
_HEX = re.compile(r"[0-9a-f]{32}", re.I)
# The key of the id, what it looks like, and the command that tells it.
IDS: dict[str, tuple[str, re.Pattern[str], str]] = {
    "d1": ("database_id", _UUID, "wrangler d1 list"),
    "kv_namespace": ("id", _HEX, "wrangler kv namespace list"),
    "hyperdrive": ("id", _HEX, "wrangler hyperdrive list"),
}


def database_findings(seen: Seen) -> Iterator[Finding]:
    """Ids that lead nowhere or to the wrong place, in each scope."""
    for scope in seen.config.scopes:
        own = [each for each in bound(scope) if each.keys[: len(scope.prefix)] == scope.prefix]
        yield from _twice(seen, scope)
        for each in own:
            if each.type in IDS:
                yield from _placeholder(seen, scope, each)
            if each.type == "d1":
                yield from _preview(seen, each)
                yield from _migrations(seen, each)
    yield from _shared(seen)


def _placeholder(seen: Seen, scope: Scope, each: Bound) -> Iterator[Finding]:
    key, form, command = IDS[each.type]
    value = each.entry.get(key)
    # Without an id wrangler makes the database or namespace itself at the first deployment.
    if not isinstance(value, str) or key not in each.entry:
        return
    digits = set(value.replace("-", ""))
    if form.fullmatch(value) and len(digits) > 1:
        return
    yield found(
        "id_placeholder",
        seen.config.shown,
        f"`{key}` of {name(each.name)} is no id that Cloudflare gives: a deployment fails, and local development keeps"
        " a file of its own for it.",
        f"Write the id that `{command}` tells, or remove `{key}`, so that wrangler makes one at the first deployment.",
        line=seen.config.line(*each.keys, key),
        # Where there are environments the top level is often for local development only.
        severity=None if scope.environment or len(seen.config.scopes) == 1 else "warning",
    )


def _preview(seen: Seen, each: Bound) -> Iterator[Finding]:
    preview = text(each.entry, "preview_database_id")
    if preview is not None and preview != each.entry.get("database_id"):
        yield found(
            "database_preview_id",
            seen.config.shown,
            f"{name(each.name)} has a `preview_database_id`, and the local file is named by it: `wrangler dev` and"
            " `--local` read another file than one found by `database_id`.",
            "Remove `preview_database_id` unless `wrangler dev --remote` needs a database of its own.",
            line=seen.config.line(*each.keys, "preview_database_id"),
        )


def _migrations(seen: Seen, each: Bound) -> Iterator[Finding]:
    named = text(each.entry, "migrations_dir")
    elsewhere = None if named else _named_elsewhere(seen, each)
    folder = seen.inside(named or "migrations")
    if (named is None and elsewhere is None) or folder is None or folder.is_dir():
        return
    says = (
        f"`migrations_dir` of {name(each.name)} names a folder that is not there"
        if named
        else f"{name(each.name)} has no `migrations_dir` here, and the same database elsewhere in the file has: wrangler"
        " looks in `migrations`, which is not there"
    )
    yield found(
        "migrations_dir_missing",
        seen.config.shown,
        f"{says}. `wrangler d1 migrations apply` finds nothing to apply, and says that all is well.",
        f'Write `"migrations_dir": "{elsewhere}"` in this entry too.'
        if elsewhere
        else "Correct `migrations_dir` (it is relative to this file), or make the folder with"
        f" `wrangler d1 migrations create {each.target or each.name} init`.",
        line=seen.config.line(*each.keys, "migrations_dir"),
    )


def _named_elsewhere(seen: Seen, each: Bound) -> str | None:
    """The `migrations_dir` that another scope gives the same binding."""
    others = (other for scope in seen.config.scopes for other in bound(scope))
    return next(
        (folder for other in others if _same(other, each) and (folder := text(other.entry, "migrations_dir"))), None
    )


def _same(other: Bound, each: Bound) -> bool:
    return other.type == "d1" and other.name == each.name and other.keys != each.keys


def _shared(seen: Seen) -> Iterator[Finding]:
    """Databases that two environments both write."""
    first: dict[str, tuple[Scope, Bound]] = {}
    for scope in seen.config.scopes:
        for each in bound(scope):
            value = text(each.entry, "database_id") if each.type == "d1" else None
            if value is None or _UUID.fullmatch(value) is None:
                continue
            before, _ = first.setdefault(value.lower(), (scope, each))
            if before is not scope:
                yield found(
                    "database_shared",
                    seen.config.shown,
                    f"{name(each.name)} of {scope.words} is the very database of {before.words}: what is tried out in"
                    " one is written in the other, migrations too.",
                    f"Make one of its own with `wrangler d1 create {_own_name(each, scope)}`, and write its id here.",
                    line=seen.config.line(*each.keys, "database_id"),
                )


def _own_name(each: Bound, scope: Scope) -> str:
    plain = re.sub(r"[^\w-]", "-", f"{each.target or each.name}-{scope.environment}")
    return plain[:60]


def _twice(seen: Seen, scope: Scope) -> Iterator[Finding]:
    """Two bindings of one name: wrangler refuses them."""
    names: dict[str, Bound] = {}
    in_file = sorted(bound(scope), key=lambda each: seen.config.line(*each.keys) or 0)
    for each in (binding for binding in in_file if binding.type != "secret_text"):
        if each.name in names and names[each.name].keys != each.keys and _stands_in(scope, each.keys):
            yield found(
                "binding_twice",
                seen.config.shown,
                f"{name(each.name)} names two bindings of {scope.words}: wrangler refuses the file.",
                "Rename one of the two, and its use in the code.",
                line=seen.config.line(*each.keys, "name" if "name" in each.entry else "binding"),
            )
        names.setdefault(each.name, each)


def _stands_in(scope: Scope, keys: tuple[Any, ...]) -> bool:
    return bool(keys[: len(scope.prefix)] == scope.prefix)
