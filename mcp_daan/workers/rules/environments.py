"""What an environment does not take over from the top level, and deployments that name none."""

import re
from collections.abc import Iterator
from typing import Any

from mcp_daan.protocol import Severity
from mcp_daan.workers.bindings import LISTS, SINGLE, bound
from mcp_daan.workers.configuration.reading import Scope, mapping
from mcp_daan.workers.finding import Finding, found, name
from mcp_daan.workers.rules.secrets import given_elsewhere
from mcp_daan.workers.seen import Seen

_BINDINGS = {str(path[0]) for path in LISTS} | set(SINGLE) | {"containers"}
NAMED = 6
_DEPLOY = re.compile(r"\bwrangler\s+(?:deploy|publish|versions\s+upload)\b(?P<rest>[^&|;]*)")


def environment_findings(seen: Seen) -> Iterator[Finding]:
    """What each environment lacks that the top level has."""
    top, *environments = seen.config.scopes
    for scope in environments:
        for key in sorted(seen.known.not_inherited):
            value = top.own.get(key)
            if key == "vars":
                # A secret is given to each environment with `wrangler secret put`; here stands what it is locally.
                value = {each: held for each, held in mapping(value).items() if not given_elsewhere(each, held)}
            if not _filled(value):
                continue
            if key not in scope.own:
                yield _absent(seen, top, scope, key, value)
            elif key in ("vars", "define"):
                yield from _fewer(seen, scope, key, value)
        yield from _bindings(seen, top, scope)
    if environments:
        yield from _unnamed(seen, [scope.environment or "" for scope in environments])


def _filled(value: Any) -> bool:
    """Whether the top level really says something: an empty list, or tables that are all empty, do not."""
    if isinstance(value, dict):
        return any(_filled(each) for each in value.values())
    return value not in (None, [], "")


def _absent(seen: Seen, top: Scope, scope: Scope, key: str, value: Any) -> Finding:
    config = seen.config
    names = [each.name for each in bound(top) if each.keys[0] == key and (key != "vars" or each.name in value)][:NAMED]
    listed = ", ".join(name(each) for each in names)
    severity: Severity = "error" if key in _BINDINGS else "warning"
    lacks = f" has no {listed}" if listed else " goes without it"
    if key == "vars":
        # The values of variables are the team's own business; their names are enough.
        value = dict.fromkeys(mapping(value), "…")
    return found(
        "env_not_inherited",
        config.shown,
        f"{name(key)} stands at the top level and not in {scope.words}, and environments do not inherit it:"
        f" a Worker deployed with `--env {scope.environment}`{lacks}, and wrangler only warns.",
        f"{config.written(scope, key, value)}\n(with the values of {scope.words}).",
        line=config.line(*scope.prefix),
        severity=severity,
    )


def _fewer(seen: Seen, scope: Scope, key: str, value: Any) -> Iterator[Finding]:
    lacking = [each for each in mapping(value) if each not in mapping(scope.own[key])]
    if lacking:
        listed = ", ".join(map(name, lacking[:NAMED]))
        yield found(
            "env_not_inherited",
            seen.config.shown,
            f"`{key}` of {scope.words} lacks {listed}, which the top level has: environments do not inherit single"
            f" {'variables' if key == 'vars' else 'entries'} either, so there they are undefined.",
            f"Add {listed} to `{key}` of {scope.words}.",
            line=seen.config.line(*scope.prefix, key),
            severity="warning",
        )


def _bindings(seen: Seen, top: Scope, scope: Scope) -> Iterator[Finding]:
    """Single bindings that the environment's own list lacks."""
    has = {each.name for each in bound(scope)}
    for each in bound(top):
        key = str(each.keys[0])
        if key in scope.own and key in seen.known.not_inherited and key in _BINDINGS and each.name not in has:
            yield found(
                "env_binding_missing",
                seen.config.shown,
                f"`{key}` of {scope.words} lacks {name(each.name)}, which the top level has: `env.{each.name}` is"
                " undefined there.",
                f"Add an entry for {name(each.name)} to `{key}` of {scope.words}, or take it out of the code.",
                line=seen.config.line(*scope.prefix, key),
            )


def _unnamed(seen: Seen, environments: list[str]) -> Iterator[Finding]:
    """Scripts that deploy without saying where."""
    manifest = seen.manifest
    for script, command in manifest.scripts.items() if manifest else ():
        for match in _DEPLOY.finditer(command):
            if re.search(r"(?:--env|-e)[\s=]", f"{match['rest']} ") or "CLOUDFLARE_ENV=" in command:
                continue
            if "$" in match["rest"] or "--dry-run" in match["rest"] or "{" in match["rest"]:
                continue
            listed = ", ".join(map(name, environments[:NAMED]))
            yield found(
                "env_not_named",
                manifest.shown if manifest else "",
                f"The script {name(script)} deploys without `--env`, though the configuration has the environments"
                f" {listed}: the top level is deployed, as a Worker of its own name.",
                f'Write `wrangler deploy --env {environments[-1]}`, or `--env=""` where the top level is meant.',
                line=manifest.places.line(("scripts", script)) if manifest else None,
            )
