"""What the doctor looks at, one function a subject."""

import platform
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import apsw

from mcp_daan import __version__
from mcp_daan.app import App
from mcp_daan.config import FILE
from mcp_daan.d1.databases import called
from mcp_daan.d1.listing import entry
from mcp_daan.errors import DaanError
from mcp_daan.knowledge import repository
from mcp_daan.tokens.credentials import SOURCE as API_TOKEN
from mcp_daan.tokens.credentials import ApiToken
from mcp_daan.tokens.wording import age
from mcp_daan.toolbox import run, tools_in
from mcp_daan.tools import tokens
from mcp_daan.tools.credentials import held

# `missing` is what the server cannot do without.
State = Literal["ok", "note", "warning", "missing"]
DOCUMENTS = ("VERSION.md", "DATABASE.md", "LESSONS-LEARNED.md", "TEST-SCENARIOS.md")
LOGINS = {
    "active": "its access token lives",
    "renewable": "its access token has ended, and wrangler renews it with its next command",
    "expired": "it has ended",
    "in_keyring": "its tokens are in the system's keyring",
    "unreadable": "its file cannot be read",
}
READS = {"d1": "D1", "kv": "Workers KV", "workers": "Workers Scripts"}
KEY = "TOKEN_ENCRYPTION_KEY"
SET_THE_KEY = f"Set {KEY}, put it in the app's .dev.vars, or name a file in `[tokens] key_file` of {FILE}."


@dataclass(frozen=True)
class Check:
    """One thing that was looked at: what was found, and how to mend it where it needs mending."""

    subject: str
    state: State
    found: str
    mend: str = ""


def program(app: App) -> Iterator[Check]:
    """What runs here."""
    python = f"Python {platform.python_version()}"
    yield Check("mcp-daan", "ok", f"{__version__} on {python}, SQLite {apsw.sqlite_lib_version()}, {sys.platform}")
    yield Check("node", "note", "Not needed.")


def workspace(app: App) -> Iterator[Check]:
    """The folder, and how it was chosen."""
    root = app.workspace.root
    try:
        next(root.iterdir(), None)
    except OSError:
        yield Check("workspace", "missing", f"{root} cannot be read.", "Give this user the right to read it.")
    else:
        yield Check("workspace", "ok", f"{root} ({_chosen(app)})")


def settings(app: App) -> Iterator[Check]:
    """The file, and what the environment sets."""
    app.settings  # noqa: B018 - raises where something is wrong
    if (app.workspace.root / FILE).is_file():
        yield Check("settings", "ok", f"{FILE} is valid.")
    else:
        yield Check(
            "settings", "note", f"No {FILE}: the defaults hold.", "`mcp-daan init` writes one from what it finds."
        )
    variables = sorted(name for name in app.environment if name.startswith("DAAN_"))
    if variables:
        yield Check("settings", "note", f"The environment sets {', '.join(variables)}.")


def knowledge(app: App) -> Iterator[Check]:
    """Which documents answer."""
    base = app.knowledge
    count = len(base.files())
    if base.origin == "workspace":
        yield Check("knowledge", "ok", f"{app.workspace.relative(base.root)}/ in the workspace, {count} documents.")
    else:
        where = f"Your own copy in {base.root}" if base.origin == "user" else "The embedded one"
        mend = f"Make `{app.settings.knowledge.path}/{base.component}/` for the team's own."
        yield Check("knowledge", "note", f"{where} answers, {count} documents.", mend)
    for name in DOCUMENTS:
        if not (base.folder / name).is_file():
            yield Check("knowledge", "warning", f"{base.component}/{name} is not there.", "Write it, or move it there.")


def apps(app: App) -> Iterator[Check]:
    """The wrangler configurations."""
    for found in app.workspace.apps:
        yield Check("apps", "ok", f"{found.name}: {app.workspace.relative(found.path)} ({found.kind})")
    for error in app.workspace.unreadable:
        yield Check("apps", "warning", error.message, error.advice)
    if not app.workspace.apps and not app.workspace.unreadable:
        mend = "Start mcp-daan in the team's repository, or name it with `--workspace`."
        yield Check("apps", "note", "No wrangler configuration was found.", mend)


def databases(app: App) -> Iterator[Check]:
    """Each D1 database and its file."""
    found = app.databases
    if not found:
        mend = f"Bind one in a wrangler configuration, or add `[d1.databases.NAME]` to {FILE}."
        yield Check("databases", "note", "No D1 database is named here.", mend)
    for name, database in zip(called(found), found, strict=True):
        listed, error = entry(name, database, app.workspace, seconds=app.settings.limits.statement_seconds)
        apply = f"npx wrangler d1 migrations apply {database.name} --local"
        where = f" in {database.app}" if database.app else ""
        if error is not None:
            yield Check("databases", "missing", f"{name}: {error.message}", error.advice)
        elif database.location == "remote":
            yield Check("databases", "note", f"{name}: remote, by its id.")
        elif not database.exists:
            yield Check("databases", "warning", f"{name} has no local file.", f"Run `{apply}`{where}.")
        else:
            pending = listed.migrations_pending or 0
            size = f"{(listed.size_bytes or 0) / 1024:,.0f} KiB"
            told = f"{name}: {listed.tables} tables, {size}, migrations to be applied: {pending}. {listed.path}"
            yield Check("databases", "ok", told, f"Run `{apply}`{where}." if pending else "")


def key(app: App) -> Iterator[Check]:
    """The key that opens tokens, held against the tokens of each database; nothing of it is shown."""
    ring = app.keys
    found = [name for name, each in zip(called(app.databases), app.databases, strict=True) if each.exists]
    tool = tools_in(tokens)["tokens_health"]
    answers = {name: run(tool, app.for_call(), {"database": name, "limit": 1}).answer for name in found}
    connections = {name: sum(answer["data"].get("counts", {}).values()) for name, answer in answers.items()}
    for problem in (*ring.problems, *dict.fromkeys(remark for key in ring.keys for remark in key.remarks)):
        needed = problem.severity == "error" and any(connections.values())
        yield Check("key", "missing" if needed else "warning", problem.message, problem.advice)
    if not any(connections.values()):
        there = "is set" if ring else "is not set"
        yield Check("key", "note", f"{KEY} {there}; no connections were found that need it.")
    for name, answer in answers.items():
        error = answer["error"]
        if error is not None and error["code"] != "not_found":
            yield Check("key", "warning", f"{name}: {error['message']}", answer["recommendations"][0])
        elif connections[name] and ring:
            yield _opened(name, answer)
        elif connections[name] and not ring.problems:
            yield Check("key", "missing", f"{name}: {connections[name]} connections, and no key.", SET_THE_KEY)


def _opened(name: str, health: Mapping[str, Any]) -> Check:
    crypto = health["data"]["crypto"]
    opened, shut = sum(crypto["keys"].values()), crypto["undecryptable"]
    if shut and not opened:
        found = f"{name}: {KEY} has the right length and opens none of {shut} sealed values."
        return Check("key", "missing", found, "Set it to the key of the portal that wrote this database.")
    more = f", {shut} it does not; `tokens_health` tells which" if shut else ""
    return Check("key", "ok", f"{name}: {KEY} has the right length and opens {opened} sealed values{more}.")


def credentials(app: App) -> Iterator[Check]:
    """Cloudflare's, as harmless reads tell of them; nothing is renewed, and wrangler's login is shown to nobody."""
    known = held(app)
    if known.token is None:
        yield Check("credentials", "note", f"{API_TOKEN} is not set; only remote databases and KV need it.")
    else:
        state: State = "ok" if known.token.status == "active" else "warning"
        yield Check("credentials", state, _told(known.token, app.now.timestamp()))
    there = "is set" if app.account_id else "is not set; only remote databases and KV need it"
    yield Check("credentials", "note", f"CLOUDFLARE_ACCOUNT_ID {there}.")
    if known.login is not None:
        yield Check(
            "credentials", "note", f"wrangler is logged in ({known.login.profile}): {LOGINS[known.login.status]}."
        )
    for finding, advice in known.found:
        yield Check("credentials", "note" if finding.severity == "info" else "warning", finding.message, advice)


def _told(token: ApiToken, now: float) -> str:
    ends = (
        "" if token.expires is None else f", ends in {age(token.expires - now)}" if token.expires > now else ", ended"
    )
    reads = ", ".join(READS[name] for name, may in token.reads.items() if may)
    writes = {True: "may write", False: "may not write", None: "whether it may write is not told"}[token.can_write]
    return (
        f"{API_TOKEN}: {token.status.replace('_', ' ')}{ends}; may read: {reads or 'nothing that was tried'}; {writes}."
    )


def git(app: App) -> Iterator[Check]:
    """Git's version, and the branch."""
    root = app.workspace.root
    try:
        version = repository.git(root, "version").decode().strip().removeprefix("git version ")
        if not repository.is_repository(root):
            mend = "`git init` there, if lessons of other branches should be found."
            yield Check("git", "note", f"{version}; the workspace is no git repository.", mend)
            return
        head, default = repository.head_branch(root), repository.default_branch(root)
        yield Check("git", "ok", f"{version}; on {head or 'no branch'}, default branch {default or 'unknown'}.")
    except DaanError as error:
        yield Check("git", "warning", error.message, error.advice)


def _chosen(app: App) -> str:
    if app.named:
        return "named by --workspace"
    named = app.environment.get("DAAN_WORKSPACE", "")
    if named and not named.startswith("${"):
        return "named by DAAN_WORKSPACE"
    if (app.workspace.root / FILE).is_file():
        return f"the nearest folder upward with {FILE}"
    return "the git root" if (app.workspace.root / ".git").exists() else "the working folder"
