"""Durable Objects and Workflows: their classes, how they are declared, whether the code exports them."""

import re
from collections.abc import Iterator
from typing import Any

from mcp_daan.workers.bindings import Bound, bound
from mcp_daan.workers.configuration.reading import Scope, entries, mapping, text, texts
from mcp_daan.workers.finding import Finding, found, name
from mcp_daan.workers.rules.files import entry_of
from mcp_daan.workers.seen import Seen

_CLASS = re.compile(r"[A-Za-z_$][\w$]*")
# What lets a class come from elsewhere: we cannot tell then.
_ALL = re.compile(r"\bexport\s*\*")
LIVE = (None, "created", "expecting-transfer")


def class_findings(seen: Seen) -> Iterator[Finding]:
    """What is wrong with the classes of each scope; each class once."""
    told: set[str] = set()
    for scope in seen.config.scopes:
        migrations, exports = scope.get("migrations"), mapping(scope.get("exports"))
        yield from _two_ways(seen, scope, migrations, exports)
        declared = _declared(migrations) | _live(exports)
        for each in bound(scope):
            class_name = text(each.entry, "class_name")
            own = class_name and not each.entry.get("script_name") and class_name not in told
            if not own or class_name is None or each.type not in ("durable_object_namespace", "workflow"):
                continue
            told.add(class_name)
            if each.type == "durable_object_namespace" and class_name not in declared:
                yield _undeclared(seen, scope, each, class_name, in_exports=bool(exports))
            yield from _not_exported(seen, each, class_name)


def _declared(migrations: Any) -> set[str]:
    """The classes that stand after every migration."""
    standing: set[str] = set()
    for _, migration in entries(migrations):
        for key in ("new_classes", "new_sqlite_classes"):
            standing |= set(texts(migration.get(key)))
        for key in ("renamed_classes", "transferred_classes"):
            for _, change in entries(migration.get(key)):
                standing.discard(text(change, "from") or "")
                standing.add(text(change, "to") or "")
        standing -= set(texts(migration.get("deleted_classes")))
    return standing


def _live(exports: Any) -> set[str]:
    return {
        key
        for key, entry in mapping(exports).items()
        if mapping(entry).get("type") == "durable-object" and mapping(entry).get("state") in LIVE
    }


def _two_ways(seen: Seen, scope: Scope, migrations: Any, exports: Any) -> Iterator[Finding]:
    if scope.environment and not {"migrations", "exports"} & set(scope.own):
        return
    objects = [entry for entry in mapping(exports).values() if mapping(entry).get("type") == "durable-object"]
    if migrations and objects:
        yield found(
            "durable_object_two_ways",
            seen.config.shown,
            f"`migrations` and `exports` of {scope.words} both declare Durable Objects: wrangler refuses the file.",
            "Keep one of the two; `exports` is the newer way.",
            line=seen.config.line(*scope.keys_of("exports")),
        )


def _undeclared(seen: Seen, scope: Scope, each: Bound, class_name: str, *, in_exports: bool) -> Finding:
    migrations = [entry for _, entry in entries(scope.get("migrations"))]
    if migrations and not in_exports:
        key: str = "migrations"
        value: Any = [*migrations, {"tag": f"v{len(migrations) + 1}", "new_sqlite_classes": [class_name]}]
    else:
        key, value = "exports", {class_name: {"type": "durable-object", "storage": "sqlite"}}
    where = scope if key in scope.own else seen.config.scopes[0]
    return found(
        "durable_object_undeclared",
        seen.config.shown,
        f"The Durable Object {name(class_name)} of {name(each.name)} is declared neither in `migrations` nor in"
        " `exports`: Cloudflare refuses the first deployment.",
        seen.config.written(where, key, value),
        line=seen.config.line(*each.keys),
    )


def _not_exported(seen: Seen, each: Bound, class_name: str) -> Iterator[Finding]:
    """A class that the entry file surely does not export."""
    entry = entry_of(seen)
    code = seen.code(entry) if entry else ""
    if entry is None or not code or _ALL.search(code) or entry.suffix == ".py" or not _CLASS.fullmatch(class_name):
        return
    wanted = re.escape(class_name)
    if re.search(rf"\bexport\s+(?:abstract\s+)?(?:class|const|let|var|function)\s+{wanted}(?![\w$])", code):
        return
    listed = (item for group in re.findall(r"\bexport\s*\{([^{}]{0,9999})\}", code) for item in group.split(","))
    if any(item.split()[-1:] == [class_name] for item in listed):
        return
    yield found(
        "class_not_exported",
        seen.config.shown,
        f"{seen.shown(entry)} does not export the class {name(class_name)} of {name(each.name)}: the deployment fails.",
        f'Write in {seen.shown(entry)}: `export {{ {class_name} }} from "./…";` or `export class {class_name}`.',
        line=seen.config.line(*each.keys, "class_name"),
    )
