"""Workers: their configurations, and what is wrong with them."""

import json
from collections.abc import Sequence
from hashlib import sha256
from typing import Annotated

from pydantic import Field

from mcp_daan.app import App
from mcp_daan.errors import NotFound
from mcp_daan.paging import page_lists
from mcp_daan.protocol import Model, Reply
from mcp_daan.toolbox import Cursor, tool
from mcp_daan.workers.bindings import Binding, bindings
from mcp_daan.workers.bundle import Bundle
from mcp_daan.workers.check import Looked, look
from mcp_daan.workers.deployments.account import Worker
from mcp_daan.workers.deployments.deployed import Deployed, deployed
from mcp_daan.workers.finding import Finding, in_order
from mcp_daan.workers.rules.crons import Loop
from mcp_daan.workers.seen import Seen
from mcp_daan.wrangler import Kind

STEPS = 3
NO_TOKEN = "set CLOUDFLARE_API_TOKEN (with `Workers Scripts: Read`) and CLOUDFLARE_ACCOUNT_ID."
ARTIFACTS = 20


class Wrangler(Model):
    """The wrangler whose keys the file was held against; not installed: the list that the server carries."""

    version: str
    installed: bool


class WorkerApp(Model):
    """One app: where it is, what it finds on `env`, what the last build made, what is deployed."""

    name: str
    path: str
    kind: Kind
    config: str
    redirected: str | None = None
    compatibility_date: str | None = None
    environments: list[str]
    bindings: list[Binding]
    wrangler: Wrangler
    bundle: Bundle | None = None
    deployments: list[Worker] | None = None


class Counts(Model):
    """How many findings there are in all, on every page."""

    error: int
    warning: int
    info: int


class WorkersCheck(Model):
    """The apps and what is wrong with them, the gravest first; `fix` is the change that mends it."""

    apps: list[WorkerApp]
    findings: list[Finding]
    counts: Counts
    next_cursor: str | None


@tool(title="Check the Workers", component="workers", reads_only=True)
def workers_check(
    opened: App,
    /,
    app: Annotated[str | None, Field(min_length=1, max_length=200, description="Only the app of this name.")] = None,
    remote: Annotated[bool, Field(description="Also what is deployed, over the API.")] = False,
    cursor: Cursor = None,
) -> Reply[WorkersCheck]:
    """Check wrangler configurations, Astro portals and bundle sizes of the workspace.

    Each finding says what it costs, and `fix` the exact change. No program is run, and no variable's value is shown.
    """
    workspace = opened.workspace
    looked = look(workspace.root, workspace.configurations, opened.now.date(), _loop(opened))
    chosen = _chosen(looked, app)
    told = _deployed(opened, chosen) if remote else Deployed()
    apps = [_app(seen, looked, told) for seen in chosen]
    findings = in_order([each for each in looked.findings if app in (None, each.app)] + told.findings)
    lists: dict[str, Sequence[Model]] = {"apps": apps, "findings": findings}
    mark = sha256(json.dumps([app, remote, len(apps), len(findings)]).encode()).hexdigest()[:12]
    parts, part = page_lists(lists, cursor=cursor, max_bytes=opened.max_answer_bytes, mark=mark)
    holes = ([] if app else looked.holes) + told.holes
    counts = {kind: sum(each.severity == kind for each in findings) for kind in ("error", "warning", "info")}
    return Reply(
        summary=_summary(len(apps), counts),
        data=WorkersCheck.model_validate({**parts, "counts": counts, "next_cursor": part.next_cursor}),
        artifacts=[seen.config.shown for seen in chosen][:ARTIFACTS],
        recommendations=["Pass `data.nextCursor` as `cursor` for the rest."] * part.cut + _steps(holes, findings),
        partial=part.cut or bool(holes),
    )


def _loop(opened: App) -> Loop:
    """The token loop, as the settings tell of it."""
    tokens = opened.settings.tokens
    return Loop(tokens.period_seconds, declared="period_seconds" in tokens.model_fields_set)


def _chosen(looked: Looked, app: str | None) -> list[Seen]:
    chosen = [seen for seen in looked.apps if app in (None, seen.name)]
    if app is not None and not chosen and app not in {each.app for each in looked.findings}:
        names = ", ".join(sorted(f"`{seen.name}`" for seen in looked.apps)[:20])
        raise NotFound(
            "The workspace has no app of that name.",
            advice=f"The apps are: {names}." if names else "No wrangler configuration was found in the workspace.",
        )
    return chosen


def _deployed(opened: App, chosen: Sequence[Seen]) -> Deployed:
    """What is deployed of the *chosen* apps; a hole says why it cannot be seen."""
    if opened.cloudflare is None:
        return Deployed(holes=[f"What is deployed was not looked at: {NO_TOKEN}"])
    seconds = opened.settings.limits.request_seconds
    configurations = [seen.config for seen in chosen]
    return deployed(opened.cloudflare, configurations, now=opened.now.timestamp(), seconds=seconds)


def _app(seen: Seen, looked: Looked, told: Deployed) -> WorkerApp:
    config = seen.config
    date = config.deployed.get("compatibility_date")
    return WorkerApp(
        name=seen.name,
        path=seen.shown(config.folder),
        kind=seen.kind,
        config=config.shown,
        redirected=seen.redirected.shown if seen.redirected else None,
        compatibility_date=date if isinstance(date, str) else None,
        environments=[scope.environment for scope in config.scopes if scope.environment],
        bindings=bindings(config),
        wrangler=Wrangler(version=seen.known.version, installed=seen.known.installed),
        bundle=looked.bundles.get(config.shown),
        deployments=told.workers.get(config.shown),
    )


def _summary(apps: int, counts: dict[str, int]) -> str:
    if not apps and not sum(counts.values()):
        return "There is no wrangler configuration in the workspace."
    told = [f"{number} {word}{'' if number == 1 else 's'}" for word, number in counts.items() if number]
    listed = ", ".join(told).replace("info", "note")
    return f"{apps} app{'' if apps == 1 else 's'} checked: {listed or 'nothing to mend'}."


def _steps(holes: list[str], findings: list[Finding]) -> list[str]:
    """What could not be seen, then the gravest findings."""
    grave = [each for each in findings if each.severity != "info"][:STEPS]
    places = [(each, f"{each.path}:{each.line}" if each.line else each.path) for each in grave]
    return holes[:STEPS] + [f"Mend `{each.code}` in {place}: its `fix` has the change." for each, place in places]
