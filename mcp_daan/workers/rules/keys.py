"""Keys that wrangler does not know, no longer knows, misses, or finds the wrong kind of value at."""

from collections.abc import Iterator
from datetime import date, time
from typing import Any

from mcp_daan.protocol import Severity
from mcp_daan.workers.configuration.places import Path as Keys
from mcp_daan.workers.configuration.places import value_at
from mcp_daan.workers.configuration.reading import Configuration, entries
from mcp_daan.workers.configuration.schema import Problem, problems
from mcp_daan.workers.finding import Finding, found, name
from mcp_daan.workers.seen import Seen, numbers

# Keys that wrangler knew once: what became of them, and what to write instead.
REMOVED: dict[str, tuple[Severity, str, str]] = {
    "node_compat": (
        "error",
        "wrangler refuses it since version 4",
        'Remove it; `"nodejs_compat"` in `compatibility_flags` takes its place (on by default from the date 2026-08-04).',
    ),
    "legacy_env": (
        "error",
        "wrangler refuses it: each environment is a Worker of its own now",
        "Remove it; a deployment stays as it was with `legacy_env = true`.",
    ),
    "usage_model": (
        "warning",
        "wrangler ignores it: there is one way of billing now",
        "Remove it; the bound on CPU time is `limits.cpu_ms`.",
    ),
    "type": (
        "warning",
        "wrangler ignores it since version 2",
        "Remove it; wrangler bundles what `main` names, and `build.command` runs a build of your own.",
    ),
    "webpack_config": (
        "warning",
        "wrangler ignores it since version 2, so nothing is bundled by webpack",
        "Remove it; run webpack with `build.command` if it is still needed.",
    ),
    "zone_id": (
        "warning",
        "wrangler ignores it, so routes without a zone are looked up by their host",
        'Remove it, and write routes as `{ "pattern": "…", "zone_id": "…" }`.',
    ),
    "kv-namespaces": ("warning", "wrangler ignores it, so the Worker has no KV", "Rename it to `kv_namespaces`."),
    "experimental_assets": ("warning", "wrangler ignores it, so no assets are served", "Rename it to `assets`."),
    "legacy_assets": ("warning", "wrangler ignores it since version 4", "Write `assets` with a `directory` instead."),
    "experimental_services": ("warning", "wrangler ignores it, so the bindings are absent", "Rename it to `services`."),
    "miniflare": ("warning", "wrangler ignores it", "Remove it; what concerns local development stands under `dev`."),
}
# Keys that wrangler still knows and whose time is over.
DEPRECATED: dict[Keys, tuple[str, str]] = {
    ("site", "entry-point"): ("is of wrangler 1", "Remove it, and name the entry file in `main` at the top level."),
    ("site",): (
        "is Workers Sites, which static assets have replaced; each file is read through KV, and billed",
        'Remove it, and write `"assets": { "directory": … }` with the folder of `bucket`.',
    ),
    ("wasm_modules",): ("is of the old service-worker format", "Remove it, and import the module in the code."),
    ("text_blobs",): ("is of the old service-worker format", "Remove it, and import the file in the code."),
    ("data_blobs",): ("is of the old service-worker format", "Remove it, and import the file in the code."),
}
# What a build tool adds to the configuration that it writes.
GENERATED = frozenset({"configPath", "userConfigPath", "topLevelName", "definedEnvironments", "targetEnvironment", "legacy_env"})  # fmt: skip


def schema_findings(seen: Seen, config: Configuration, *, generated: bool = False) -> Iterator[Finding]:
    """What *config* holds that wrangler's schema does not allow."""
    newer = not seen.known.installed and _newer(seen.wanted("wrangler"), seen.known.version)
    for problem in problems(config.values, seen.known.schema):
        key = str(problem.keys[-1]) if problem.keys else ""
        if generated and key in GENERATED:
            continue
        yield from _told(seen, config, problem, newer=newer)
    for keys, line in config.places.twice:
        yield found(
            "key_twice",
            config.shown,
            f"{_path(keys)} stands here a second time: the last one counts, and what stood before it is lost in silence.",
            "Join the two, and keep one of them.",
            line=line,
        )


def deprecated_findings(seen: Seen, config: Configuration) -> Iterator[Finding]:
    """Keys whose time is over."""
    for keys, (why, fix) in DEPRECATED.items():
        if value_at(config.values, keys) is not None:
            yield found("key_deprecated", config.shown, f"{_path(keys)} {why}.", fix, line=config.line(*keys))
    for scope in config.scopes:
        for at, entry in entries(scope.own.get("pipelines")):
            if "pipeline" in entry:
                where = (*scope.prefix, "pipelines", at, "pipeline")
                yield found(
                    "key_deprecated",
                    config.shown,
                    "`pipeline` of a pipelines binding is called `stream` now; wrangler warns.",
                    "Rename it to `stream`.",
                    line=config.line(*where),
                )


def _told(seen: Seen, config: Configuration, problem: Problem, *, newer: bool) -> Iterator[Finding]:
    where, line = _path(problem.keys), config.line(*problem.keys)
    wrangler = f"wrangler {seen.known.version}"
    if problem.wrong == "unknown":
        key = str(problem.keys[-1])
        removed = REMOVED.get(key) if len(problem.keys) == 1 or problem.keys[0] == "env" else None
        if removed is not None:
            severity, why, fix = removed
            yield found("key_removed", config.shown, f"{where}: {why}.", fix, line=line, severity=severity)
            return
        meant = f" Is {name(problem.wanted[0])} meant?" if problem.wanted else ""
        message = f"{wrangler} does not know {where}: it warns, and what stands there has no effect.{meant}"
        fix = f"Rename {name(key)} to {name(problem.wanted[0])}." if problem.wanted else f"Remove {name(key)}."
        message += " The newer wrangler that this app asks for may." if newer else ""
        yield found("key_unknown", config.shown, message, fix, line=line, severity="info" if newer else None)
    elif problem.wrong == "missing":
        key = problem.wanted[0]
        yield found(
            "key_missing",
            config.shown,
            f"{where} has no {name(key)}: wrangler refuses the file.",
            f"Add {name(key)} to {where}.",
            line=line,
        )
    elif problem.wrong == "type":
        wanted = " or ".join(problem.wanted)
        value = value_at(config.values, problem.keys)
        fix = (
            f'Write it in quotes: `"{value.isoformat()}"`.'
            if isinstance(value, date | time)
            else f"Write a value of type {wanted} at {where}."
        )
        message = f"{where} is {_kind(value)}, and wrangler wants {wanted}."
        yield found("value_type", config.shown, message, fix, line=line)
    else:
        allowed = ", ".join(problem.wanted)
        message = f"{where} has a value that wrangler does not know; it takes {allowed}."
        yield found("value_unknown", config.shown, message, f"Write one of {allowed} at {where}.", line=line)


def _newer(wanted: str | None, carried: str) -> bool:
    """Whether the app asks for a wrangler that is younger than our list."""
    return bool(wanted) and (numbers(wanted or "") or ()) > (numbers(carried) or ())


def _path(keys: Keys) -> str:
    """*keys* as a person writes them: `env.production.d1_databases[0].binding`."""
    text = ""
    for key in keys:
        text += f"[{key}]" if isinstance(key, int) else f".{key}" if text else str(key)
    return name(text) if text else "The file"


def _kind(value: Any) -> str:
    kinds = {bool: "a boolean", str: "a string", int: "a number", float: "a number", list: "a list", dict: "an object"}
    if isinstance(value, date | time):
        return "a date without quotes"
    return kinds.get(type(value), "null")
