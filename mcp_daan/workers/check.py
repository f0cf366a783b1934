"""Every app of a workspace with what is wrong with it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from mcp_daan.workers.astro.adapter import adapter_findings
from mcp_daan.workers.astro.project import project_of
from mcp_daan.workers.astro.routes import route_findings
from mcp_daan.workers.bundle import Bundle, bundle_findings, bundle_of
from mcp_daan.workers.configuration.known import known_to
from mcp_daan.workers.configuration.reading import Configuration, read, relative
from mcp_daan.workers.finding import Finding, found, in_order, name
from mcp_daan.workers.rules.classes import class_findings
from mcp_daan.workers.rules.crons import Loop, cron_findings, cron_missing, triggers_of
from mcp_daan.workers.rules.databases import database_findings
from mcp_daan.workers.rules.dates import date_findings
from mcp_daan.workers.rules.environments import environment_findings
from mcp_daan.workers.rules.files import file_findings
from mcp_daan.workers.rules.keys import deprecated_findings, schema_findings
from mcp_daan.workers.rules.layout import made_by_builds, names_twice, redirected, shadowed, stale
from mcp_daan.workers.rules.node import node_findings
from mcp_daan.workers.rules.pages import pages_findings
from mcp_daan.workers.rules.running import limit_findings, observability_findings
from mcp_daan.workers.rules.secrets import secret_findings
from mcp_daan.workers.seen import Seen
from mcp_daan.wrangler import Unreadable


@dataclass
class Looked:
    """The apps that could be read, what is wrong in the workspace, and what could not be seen."""

    apps: list[Seen] = field(default_factory=list)
    bundles: dict[str, Bundle] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    holes: list[str] = field(default_factory=list)


def look(root: Path, paths: list[Path], today: date, loop: Loop | None) -> Looked:
    """The apps whose configurations are *paths*, below *root*.

    *loop* is the token loop that the settings speak of, which the apps that keep tokens must drive.
    """
    looked = Looked()
    made = made_by_builds((path.parent for path in paths), root)
    for path in [each for each in paths if each.resolve() not in made]:
        before = len(looked.findings)
        looked.findings += shadowed(path, root)
        seen = _seen(looked, root, path, today)
        if seen is not None:
            looked.apps.append(seen)
            looked.findings += _findings(looked, seen, loop)
        called = seen.name if seen else path.parent.name
        looked.findings[before:] = [each.model_copy(update={"app": called}) for each in looked.findings[before:]]
    looked.findings += names_twice(looked.apps)
    if loop is not None and loop.declared and not any(triggers_of(seen) for seen in looked.apps):
        keeping = [seen for seen in looked.apps if keeps_tokens(seen)] or looked.apps
        looked.findings += [cron_missing(seen, loop).model_copy(update={"app": seen.name}) for seen in keeping[:1]]
    looked.findings = in_order(looked.findings)
    return looked


def keeps_tokens(seen: Seen) -> bool:
    """Whether the app has a database whose migrations make a place for refresh tokens."""
    for folder in {binding.migrations_dir for binding in seen.config.config.d1_bindings()}:
        place = seen.inside(folder)
        if place is not None and place.is_dir():
            for file in sorted(place.glob("*.sql"))[:200]:
                if "refresh_token" in seen.code(file).lower():
                    return True
    return False


def _seen(looked: Looked, root: Path, path: Path, today: date) -> Seen | None:
    known, unreadable = known_to(path.parent, root)
    if unreadable is not None:
        looked.findings.append(
            found(
                "schema_unreadable",
                relative(unreadable, root),
                f"It cannot be read, so keys are held against those of wrangler {known.version} that the server carries.",
                "Install wrangler again: `npm install`.",
            )
        )
    try:
        config = read(path, root, known.not_inherited)
    except Unreadable as error:
        shown = relative(path, root)
        looked.holes.append(f"Mend {name(shown)}: it cannot be read, so nothing in it was checked.")
        looked.findings.append(
            found(
                "config_unreadable",
                shown,
                error.message,
                f"Mend {path.name}{f' at line {error.line}' if error.line else ''}; wrangler cannot read it either.",
                line=error.line,
            )
        )
        return None
    made, wrong = redirected(path.parent, root, known.not_inherited)
    looked.findings += wrong
    return Seen(config=config, kind=config.config.kind, known=known, root=root, today=today, redirected=made)


def _findings(looked: Looked, seen: Seen, loop: Loop | None) -> Iterator[Finding]:
    yield from schema_findings(seen, seen.config)
    for rule in (
        date_findings,
        environment_findings,
        database_findings,
        secret_findings,
        observability_findings,
        limit_findings,
        class_findings,
        file_findings,
        pages_findings,
        node_findings,
        stale,
    ):
        yield from rule(seen)
    yield from deprecated_findings(seen, seen.config)
    concerned = loop is not None and keeps_tokens(seen)
    yield from cron_findings(seen, loop if concerned else None)
    yield from _of_build(looked, seen, seen.redirected)
    project = project_of(seen)
    if project is not None:
        yield from adapter_findings(project)
        yield from route_findings(project)


def _of_build(looked: Looked, seen: Seen, made: Configuration | None) -> Iterator[Finding]:
    if made is not None:
        yield from schema_findings(seen, made, generated=True)
    bundle = bundle_of(seen)
    if bundle is not None:
        looked.bundles[seen.config.shown] = bundle
    yield from bundle_findings(seen, bundle)
