"""What the status of everything rests on: each source a tool, and how its answer becomes findings."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from types import MappingProxyType
from typing import Any

from mcp_daan.app import App
from mcp_daan.d1.databases import called
from mcp_daan.errors import DaanError
from mcp_daan.knowledge.repository import head_branch
from mcp_daan.protocol import Model, Reply
from mcp_daan.tokens.verdicts import Verdict
from mcp_daan.tokens.wording import NEXT_STEPS
from mcp_daan.toolbox import Tool
from mcp_daan.tools import all_tools
from mcp_daan.tools.checks import NEXT
from mcp_daan.tools.credentials import held
from mcp_daan.tools.harm import Pressing
from mcp_daan.tools.tokens import HOLES
from mcp_daan.workers.kv import local, remote
from mcp_daan.workers.kv.namespaces import ID, Namespace, find_namespaces

# As `Said.answer` holds it.
Answer = Mapping[str, Any]
NOTHING: Mapping[str, Any] = MappingProxyType({})
MOST_DATABASES = 8
CONNECTIONS = 1000
URGENT: tuple[Verdict, ...] = ("missing_token", "plaintext_at_rest", "undecryptable", "needs_reauth")
LATER: tuple[Verdict, ...] = ("duplicate_grant", "refresh_stuck", "degraded", "reauth_soon")


@dataclass(frozen=True)
class Source:
    """A tool to ask, and the line that its findings belong to."""

    name: str
    tool: Tool
    component: str
    findings: Callable[[Mapping[str, Any]], Iterator[Pressing]]
    arguments: Mapping[str, Any] = field(default_factory=dict)


class Looked(Model):
    """What a source that is no tool of its own found."""

    findings: list[Pressing]


def sources(app: App, *, reached: bool) -> list[Source]:
    """Everything that can be asked in this workspace; *reached* says that Cloudflare can be asked too."""
    tools = all_tools()
    found = [
        Source("knowledge", tools["knowledge_validate"], "knowledge", _knowledge),
        Source("tokens", tools["tokens_health"], "oauth", _tokens, {"limit": CONNECTIONS}),
        Source("workers", tools["workers_check"], "workers", _workers, {"remote": reached}),
        Source("kv", Tool(_kv, "KV", "workers", True), "kv", _own),
        Source("git", Tool(_git, "Git", None, True), "git", _own),
        Source("credentials", Tool(_credentials, "Credentials", None, True), "cloudflare", _own),
    ]
    if app.settings.oauth.url:
        found.append(Source("portal", tools["oauth_check"], "oauth", _portal))
    names = [
        name
        for name, database in zip(called(app.databases), app.databases, strict=True)
        if reached or database.location == "local"
    ]
    for name in names[:MOST_DATABASES]:
        given = {"database": name}
        found.append(Source(f"d1_check {name}", tools["d1_check"], "d1", _checks(name), given))
        found.append(Source(f"d1_migrations {name}", tools["d1_migrations"], "d1", _migrations(name), given))
    return found


# --- from the answers of tools ---


def _knowledge(data: Mapping[str, Any]) -> Iterator[Pressing]:
    for each in data["findings"]:
        # What d1_migrations tells of each database is not told twice.
        if not each["code"].startswith("migration_"):
            step = {
                "lesson_unmerged": "Read it with `lessons_list` and `branches` all, and merge its branch.",
                "limit_outdated": "Write the limit that the message names into the document.",
            }.get(each["code"], "Mend the document at this line, or what it tells of.")
            component = "git" if each["code"] == "lesson_unmerged" else "knowledge"
            yield _pressing(each, component, "knowledge_validate", step)


def _tokens(data: Mapping[str, Any]) -> Iterator[Pressing]:
    steps: dict[str, str] = {}
    for each in data["connections"]:
        steps.setdefault(each["verdict"], each["nextStep"])
    for verdict in (*URGENT, *LATER):
        if count := data["counts"].get(verdict, 0):
            yield Pressing(
                code=verdict,
                severity="error" if verdict in URGENT else "warning",
                component="oauth",
                tool="tokens_health",
                message=f"{count} {'connection is' if count == 1 else 'connections are'} {verdict}.",
                next_step=steps.get(verdict) or NEXT_STEPS[verdict],
                count=count,
            )
    for each in data["findings"]:
        yield _pressing(each, "oauth", "tokens_health", "Call `tokens_health`: its `recommendations` say what to do.")
    for each in data["apiKeys"]["checks"]:
        if not each["ok"]:
            check = {**each, "code": f"api_key_{each['code']}"}
            yield _pressing(check, "oauth", "tokens_health", "Look at the table of API keys with `d1_query`.")


def _portal(data: Mapping[str, Any]) -> Iterator[Pressing]:
    for each in data["checks"]:
        if each["status"] in ("fail", "warn"):
            message = f"The portal does not pass `{each['id']}`."
            known = {"code": f"portal_{each['id']}", "severity": each["severity"], "message": message}
            yield _pressing(known, "oauth", "oauth_check", "Call `oauth_check`: `expected` says what the portal owes.")


def _workers(data: Mapping[str, Any]) -> Iterator[Pressing]:
    for each in data["findings"]:
        component = "astro" if each["code"].startswith("astro_") else "workers"
        yield _pressing(each, component, "workers_check", each["fix"])


def _checks(database: str) -> Callable[[Mapping[str, Any]], Iterator[Pressing]]:
    def findings(data: Mapping[str, Any]) -> Iterator[Pressing]:
        for each in data["checks"]:
            if not each["ok"] and not each["skipped"] and each["code"] != "migrations":
                step = NEXT.get(each["code"], "Call `d1_check`: `detail` names the places.")
                yield _pressing({**each, "path": f"d1://{database}"}, "d1", "d1_check", step)

    return findings


def _migrations(database: str) -> Callable[[Mapping[str, Any]], Iterator[Pressing]]:
    def findings(data: Mapping[str, Any]) -> Iterator[Pressing]:
        for key, code, severity, words, step in (
            ("unknown", "migration_unknown", "error", "recorded and have no file", "Find the file, or who deleted it."),
            (
                "edited",
                "migration_edited",
                "error",
                "edited since they were applied",
                "Undo the edit; write a new one.",
            ),
            (
                "outOfOrder",
                "migration_out_of_order",
                "warning",
                "older than one applied",
                "Rehearse them with `rehearse`.",
            ),
            ("duplicates", "migration_number_twice", "warning", "of one number", "Give each a number of its own."),
            ("pending", "migration_unapplied", "warning", "not applied", "Rehearse with `rehearse`, then apply them."),
        ):
            if count := len(data[key]):
                message = f"{database}: {count} {'migration' if count == 1 else 'migrations'} {words}."
                known = {"code": code, "severity": severity, "message": message, "path": f"d1://{database}"}
                yield _pressing(known, "d1", "d1_migrations", step).model_copy(update={"count": count})

    return findings


def _own(data: Mapping[str, Any]) -> Iterator[Pressing]:
    yield from (Pressing.model_validate(each) for each in data["findings"])


def _pressing(each: Mapping[str, Any], component: str, tool: str, step: str) -> Pressing:
    return Pressing(
        code=each["code"],
        severity=each["severity"],
        component=component,
        tool=tool,
        message=each["message"],
        path=each.get("path"),
        line=each.get("line"),
        next_step=step,
        count=each.get("connections") or 1,
    )


# --- sources that are no tools ---


def _kv(app: App) -> Reply[Looked]:
    """Whether each namespace can be read here, and is there in the account."""
    namespaces = find_namespaces(app.workspace, app.settings.d1.persist)
    if not namespaces:
        return Reply("No KV namespace is bound.", Looked(findings=[]))
    now, limits = app.now.timestamp(), app.settings.limits
    kept = [each for each in namespaces if each.exists]
    filled = [local.list_keys(each, limit=1, now=now, seconds=limits.statement_seconds).keys for each in kept]
    told = f"{len(namespaces)} {'namespace' if len(namespaces) == 1 else 'namespaces'}, {sum(map(bool, filled))} with local data."
    try:
        missing = _missing(app, namespaces)
    except DaanError as error:
        hole = f"The account's namespaces could not be listed. {error.message} {error.advice}"
        return Reply(told, Looked(findings=[]), recommendations=[hole], partial=True)
    return Reply(told, Looked(findings=missing))


def _missing(app: App, namespaces: Sequence[Namespace]) -> list[Pressing]:
    """Those of *namespaces* whose id the account does not have."""
    if app.cloudflare is None:
        return []
    there = {each.id for each in remote.namespaces(app.cloudflare, seconds=app.settings.limits.request_seconds)}
    return [
        Pressing(
            code="kv_namespace_missing",
            severity="error",
            component="kv",
            tool="kv_read",
            message=f"{each.name} is bound to an id that the account does not have.",
            path=each.app,
            next_step="Write the id of `wrangler kv namespace list` into the wrangler configuration.",
        )
        for each in namespaces
        if each.id is not None and ID.fullmatch(each.id) and each.id not in there
    ]


def _git(app: App) -> Reply[Looked]:
    """Which branch is checked out."""
    try:
        branch = head_branch(app.workspace.root)
    except DaanError as error:
        return Reply(f"No branch: {error.message}", Looked(findings=[]))
    return Reply(f"On {branch}." if branch else "No branch is checked out.", Looked(findings=[]))


def _credentials(app: App) -> Reply[Looked]:
    """What this machine may do at Cloudflare."""
    seen = held(app)
    report = seen.report
    told = f"{report.source}: {report.status}." if report is not None else "No credentials for Cloudflare are set."
    found = [
        Pressing(
            code=each.code,
            severity=each.severity,
            component="cloudflare",
            tool="tokens_health",
            message=each.message,
            next_step=advice,
        )
        for each, advice in seen.found
    ]
    return Reply(told, Looked(findings=found))


def findings_of(asked: Sequence[tuple[Source, Answer]]) -> list[Pressing]:
    """The findings of every answer; what two sources tell alike is told once, by the more special one."""
    own = {
        (each.code, each.message)
        for source, answer in asked
        if source.name == "credentials"
        for each in _told(source, answer)
    }
    found: list[Pressing] = []
    for source, answer in asked:
        found += (
            each
            for each in _told(source, answer)
            if source.name == "credentials" or (each.code, each.message) not in own
        )
    return found


def hole(answer: Answer) -> tuple[str, str]:
    """What a partial answer could not see, and what to do about it."""
    skipped = (each["message"] for each in answer["data"].get("checks", []) if each.get("skipped") and not each["ok"])
    unread = (each["message"] for each in answer["data"].get("findings", []) if each["code"] in HOLES)
    if (why := next(chain(skipped, unread), None)) is not None:
        return why, "Call its tool by itself for more."
    return "It saw a part only.", next(iter(answer["recommendations"]), "Call its tool by itself.")


def _told(source: Source, answer: Answer) -> list[Pressing]:
    return [] if answer["error"] is not None else list(source.findings(answer["data"]))
