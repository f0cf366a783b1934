"""Which files wrangler reads: shadowed ones, redirects of build tools, names that two Workers share."""

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from mcp_daan.workers.bindings import bound
from mcp_daan.workers.configuration.reading import Configuration, mapping, read, relative, text
from mcp_daan.workers.finding import Finding, found, name
from mcp_daan.workers.seen import Seen, within
from mcp_daan.wrangler import NAMES, Unreadable, read_config_text, strip_comments

REDIRECT = Path(".wrangler", "deploy", "config.json")


def shadowed(path: Path, root: Path) -> Iterator[Finding]:
    """The configurations beside *path* that wrangler does not read."""
    for other in NAMES[NAMES.index(path.name) + 1 :]:
        if (path.parent / other).is_file():
            yield found(
                "config_shadowed",
                relative(path.parent / other, root),
                f"wrangler reads {path.name} beside it, and says nothing of this file: what is changed here has no effect.",
                f"Move what is still right into {path.name}, and delete {other}.",
            )


def target_of(pointer: Path) -> str | None:
    """What the build tool's *pointer* leads to; ValueError, RecursionError, Unreadable where it is no JSON."""
    return text(json.loads(strip_comments(read_config_text(pointer))), "configPath")


def made_by_builds(folders: Iterable[Path], root: Path) -> set[Path]:
    """The configurations that builds have made for *folders*; they are no apps of their own."""
    made = set()
    for folder in folders:
        pointer = folder / REDIRECT
        if pointer.is_file() and within(pointer, root):
            with suppress(Unreadable, ValueError, RecursionError):
                made.add(within(pointer.parent / (target_of(pointer) or "."), root))
    return {path for path in made if path is not None}


def redirected(folder: Path, root: Path, not_inherited: frozenset[str]) -> tuple[Configuration | None, list[Finding]]:
    """The configuration that a build tool has put in place of the one in *folder*, and what is wrong with it."""
    pointer = folder / REDIRECT
    if not pointer.is_file():
        return None, []
    shown = relative(pointer, root)
    again = "Build the app again; the build writes both files."
    try:
        target = target_of(pointer) if within(pointer, root) else None
    except (Unreadable, ValueError, RecursionError):
        return None, [found("config_redirect_broken", shown, "It is not JSON: wrangler refuses to deploy.", again)]
    if target is None:
        message = "It has no `configPath`: wrangler refuses to deploy."
        return None, [found("config_redirect_broken", shown, message, again, line=1)]
    place = within(pointer.parent / target, root)
    if place is None:
        message = "`configPath` leads out of the workspace, where nothing is read: what is deployed cannot be checked."
        return None, [found("config_redirect_broken", shown, message, again, line=1)]
    if not place.is_file():
        message = "`configPath` names a file that is not there: wrangler refuses to deploy."
        return None, [found("config_redirect_broken", shown, message, again, line=1)]
    try:
        config = read(place, root, not_inherited)
    except Unreadable as error:
        return None, [found("config_unreadable", relative(place, root), error.message, again, line=error.line)]
    findings = []
    if mapping(config.values.get("env")):
        message = "A configuration that a build made may not have `env`: wrangler refuses to deploy."
        findings = [found("config_redirect_broken", config.shown, message, again, line=config.line("env"))]
    return config, findings


def stale(seen: Seen) -> Iterator[Finding]:
    """Settings that the last build did not see."""
    made = seen.redirected
    if made is None:
        return
    environment = made.values.get("targetEnvironment")
    scope = next((each for each in seen.config.scopes if each.environment == environment), seen.config.scopes[0])
    has = {each.name: each for each in bound(made.scopes[0])}
    changed = [
        each
        for each in bound(scope)
        if each.type != "secret_text"
        and (each.name not in has or (each.type, each.target) != (has[each.name].type, has[each.name].target))
    ]
    days = scope.get("compatibility_date"), made.values.get("compatibility_date")
    differs = [f"the binding {name(each.name)}" for each in changed[:3]]
    differs += ["`compatibility_date`"] if isinstance(days[0], str) and days[0] != days[1] else []
    if differs:
        yield found(
            "config_redirect_stale",
            made.shown,
            f"The last build did not see {', '.join(differs)} of {seen.config.path.name}: `wrangler deploy` reads this file,"
            " and ships the settings of that build.",
            "Build the app again before the deployment.",
            line=seen.config.line(*changed[0].keys) if changed and made.shown == seen.config.shown else None,
        )


def names_twice(apps: Sequence[Seen]) -> Iterator[Finding]:
    """Two Workers of one name: the second deployment replaces the first."""
    first: dict[str, str] = {}
    for seen in apps:
        if seen.kind == "pages":
            continue
        for scope in seen.config.scopes:
            base = text(seen.config.values, "name")
            called = text(scope.own, "name") or (
                base and (f"{base}-{scope.environment}" if scope.environment else base)
            )
            if not called:
                continue
            before = first.setdefault(called, seen.config.shown)
            if before != seen.config.shown:
                yield found(
                    "name_twice",
                    seen.config.shown,
                    f"{name(called)} is the name of the Worker in {before} too: each deployment replaces the other's.",
                    "Give one of the two another `name`.",
                    line=seen.config.line(*scope.keys_of("name")),
                ).model_copy(update={"app": seen.name})
