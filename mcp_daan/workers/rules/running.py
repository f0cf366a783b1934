"""How a Worker runs: its logs, and settings beyond what Cloudflare allows."""

from collections.abc import Iterator
from typing import Any

from mcp_daan.limits import AS_OF, LIMITS, Limit
from mcp_daan.workers.astro.project import project_of
from mcp_daan.workers.configuration.places import Path as Keys
from mcp_daan.workers.configuration.places import value_at
from mcp_daan.workers.configuration.reading import Scope, entries, mapping
from mcp_daan.workers.finding import Finding, found
from mcp_daan.workers.seen import Seen

# Settings of a scope that have a bound: where, which limit, and how many of the limit's units one is.
BOUNDS: tuple[tuple[Keys, str, float], ...] = (
    (("limits", "cpu_ms"), "cpu_setting", 0.001),
    (("limits", "subrequests"), "subrequests", 1),
)
# The same for each consumer of a queue.
CONSUMER: tuple[tuple[str, str], ...] = (
    ("max_batch_size", "batch_size"),
    ("max_batch_timeout", "batch_timeout"),
    ("max_retries", "retries"),
    ("max_concurrency", "concurrency"),
)
RATES: tuple[Keys, ...] = (
    ("observability", "head_sampling_rate"),
    ("observability", "logs", "head_sampling_rate"),
    ("observability", "traces", "head_sampling_rate"),
)


def observability_findings(seen: Seen) -> Iterator[Finding]:
    """Whether the deployed Worker keeps logs; Pages cannot, and without `main` there is nothing to log."""
    scope = seen.config.deployed
    project = project_of(seen)
    runs = scope.get("main") or (project is not None and project.adapter)
    if "pages_build_output_dir" in seen.config.values or not runs or _logs(scope):
        return
    written = scope.get("observability")
    off = mapping(written).get("enabled") is False or mapping(mapping(written).get("logs")).get("enabled") is False
    yield found(
        "observability_absent",
        seen.config.shown,
        f"`observability` is {'turned off' if off else 'absent'}: Cloudflare stores no logs of this Worker, so a failure"
        " of last night cannot be looked into.",
        seen.config.written(scope if "observability" in scope.own else seen.config.scopes[0], "observability", {"enabled": True}),
        line=seen.config.line(*scope.keys_of("observability")),
        severity="info" if off else None,
    )  # fmt: skip


def _logs(scope: Scope) -> bool:
    observability = mapping(scope.get("observability"))
    return (
        observability.get("enabled") is True
        or any(mapping(observability.get(part)).get("enabled") is True for part in ("logs", "traces"))
        or scope.get("logpush") is True
        or bool(scope.get("tail_consumers") or scope.get("streaming_tail_consumers"))
    )


def limit_findings(seen: Seen) -> Iterator[Finding]:
    """Settings over today's limits."""
    for scope in seen.config.scopes:
        for keys, key, unit in BOUNDS:
            yield from _over(seen, scope, keys, LIMITS[key], unit)
        for at, consumer in entries(mapping(scope.own.get("queues")).get("consumers")):
            for setting, key in CONSUMER:
                if setting in consumer:
                    yield from _over(seen, scope, ("queues", "consumers", at, setting), LIMITS[key], 1)
        for keys in RATES:
            rate = value_at(scope.own, keys)
            if _number(rate) and not 0 <= rate <= 1:
                yield _finding(seen, scope, keys, "is a share from 0 to 1", "a number from 0 to 1, such as 0.1")
        yield from _variables(seen, scope)
        crons = mapping(scope.own.get("triggers")).get("crons")
        if isinstance(crons, list) and len(crons) > LIMITS["cron_triggers"].most:
            yield _finding(seen, scope, ("triggers", "crons"), _may(LIMITS["cron_triggers"]), "fewer triggers")


def _over(seen: Seen, scope: Scope, keys: Keys, limit: Limit, unit: float) -> Iterator[Finding]:
    value = value_at(scope.own, keys)
    if _number(value) and (value * unit > limit.most or value < 0):
        yield _finding(seen, scope, keys, _may(limit), f"a value up to {limit.most / unit:.15g}")


def _variables(seen: Seen, scope: Scope) -> Iterator[Finding]:
    variables = mapping(scope.own.get("vars"))
    if len(variables) > LIMITS["variables"].most:
        yield _finding(seen, scope, ("vars",), _may(LIMITS["variables"]), "fewer variables")
    for key, value in variables.items():
        if isinstance(value, str) and len(value.encode("utf-8", "replace")) > LIMITS["variable_size"].most:
            yield _finding(seen, scope, ("vars", key), _may(LIMITS["variable_size"]), "a shorter value")


def _may(limit: Limit) -> str:
    return f"may be at most: {limit.today} ({AS_OF}, {limit.source})"


def _finding(seen: Seen, scope: Scope, keys: Keys, allowed: str, instead: str) -> Finding:
    shown = ".".join(map(str, keys))
    return found(
        "limit_exceeded",
        seen.config.shown,
        f"`{shown}` of {scope.words} {allowed}; Cloudflare refuses more.",
        f"Write {instead} at `{shown}`.",
        line=seen.config.line(*scope.prefix, *keys),
    )


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
