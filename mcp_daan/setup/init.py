"""Write a commented `daan.toml` from what stands in the workspace."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

from mcp_daan.app import App
from mcp_daan.config import FILE, Settings
from mcp_daan.d1.databases import called, find_databases
from mcp_daan.errors import Conflict, DaanError
from mcp_daan.knowledge.lessons.publishing import exclusive, publish
from mcp_daan.workspace import Workspace, folders

# A folder that holds one of these is a component of a knowledge base.
DOCUMENTS = ("DATABASE.md", "LESSONS-LEARNED.md", "TEST-SCENARIOS.md")
DEFAULTS = Settings()

HEAD = """\
# Settings of mcp-daan for this workspace; all of them are in docs/configuration.md of mcp-daan.
# A line that begins with # and no space shows a default or an example: take the # away to set it.
# The environment goes before this file: DAAN_LIMITS_STATEMENT_SECONDS=10 sets [limits] statement_seconds.
# Secrets never stand here. They come from the environment: TOKEN_ENCRYPTION_KEY (also from an app's .dev.vars),
# TOKEN_ENCRYPTION_KEY_PREVIOUS, CLOUDFLARE_API_TOKEN, CLOUDFLARE_ACCOUNT_ID."""


def run(app: App) -> int:
    """Write the file and say so; 1 when it cannot be written."""
    try:
        path = write(app)
    except DaanError as error:
        sys.stderr.write(app.redact(f"{error.message}\n{error.advice}\n"))
        return 1
    finally:
        app.close()
    sys.stdout.write(f"Wrote {path}\nNext: `mcp-daan doctor` tells what is found and what is missing.\n")
    return 0


def write(app: App) -> Path:
    """Write `daan.toml` in the workspace's root; its path.

    Raises Conflict when one stands there, Unavailable when the folder cannot be written.
    """
    root = app.workspace.root
    text = init(app)
    with exclusive(root):
        if not publish(root, FILE, text.encode()):
            raise Conflict(f"{FILE} stands there already.", advice=f"Edit it, or move it away first: {root / FILE}")
    return root / FILE


def init(app: App) -> str:
    """The text of a `daan.toml` for the workspace: what differs from the defaults is set, the rest commented out."""
    workspace = app.workspace
    parts = (_knowledge(workspace), _git(), _d1(workspace), _tokens(), _portal(workspace), _limits())
    return "\n".join([HEAD, *(line for part in parts for line in ("", *part)), ""])


def _knowledge(workspace: Workspace) -> Iterator[str]:
    yield "[knowledge]"
    found = sorted(
        folder
        for folder in folders(workspace.root)
        if folder != workspace.root and any((folder / name).is_file() for name in DOCUMENTS)
        if not any("\ud800" <= each <= "\udfff" for each in str(folder))  # no UTF-8 name: the file cannot say it
    )
    default = workspace.root / DEFAULTS.knowledge.path / DEFAULTS.knowledge.component
    if default in found or not found:
        yield f"# {'Found' if found else 'Not found, so the embedded knowledge base answers'}: {_shown(workspace, default)}"
        yield from _commented("path", "component", of=DEFAULTS.knowledge)
    else:
        chosen = found[0]
        yield f"# Found: {', '.join(_shown(workspace, folder) for folder in found)}"
        yield f"path = {_text(workspace.relative(chosen.parent))}"
        yield f"component = {_text(chosen.name)}"
    yield from _commented("stale_days", "stale_scraped_days", of=DEFAULTS.knowledge)


def _git() -> Iterator[str]:
    yield "[git]"
    yield "# Which commits on other branches are worth a look, in the words of `git log --grep`."
    yield f"#grep = {_text(DEFAULTS.git.grep)}"


def _d1(workspace: Workspace) -> Iterator[str]:
    yield "[d1]"
    databases = find_databases(workspace, DEFAULTS.d1)
    if databases:
        yield "# These are bound in a wrangler configuration and need no setting:"
    else:
        yield "# No wrangler configuration here binds a D1 database."
    for name, database in zip(called(databases), databases, strict=True):
        state = "" if database.exists else "; it has no local file yet"
        yield f"#   {_plain(name)} in {_plain(database.app or '.')}{state}"
    for error in workspace.unreadable:
        yield f"# {_plain(error.message)}"
    yield "# Columns to mask beside those whose name tells that they are secret."
    yield '#secret_columns = ["customers.iban", "*.phone"]'
    yield "# Where wrangler keeps its state, if not beside its configuration."
    yield '#persist = [".wrangler/state/v3"]'
    yield ""
    yield "# A database that no wrangler configuration binds: a file, or a remote one by its id."
    yield "#[d1.databases.archive]"
    yield '#path = "data/archive.sqlite"'


def _tokens() -> Iterator[str]:
    yield "[tokens]"
    yield "# The table and its columns are recognised by name; name here what is called otherwise."
    yield '#table = "connections"'
    yield '#columns = { refresh_token = "refresh_token_enc", refreshed_at = "last_refreshed_at" }'
    yield "# A file with the key, for its owner only to read; and how the key and the values are written, if not found out."
    yield '#key_file = ".secrets/token-key"'
    yield '#key_encoding = "base64"'
    yield '#aad = "{table}:{id}:{column}"'
    yield "# How often the portal refreshes, in seconds."
    yield from _commented("period_seconds", of=DEFAULTS.tokens)


def _portal(workspace: Workspace) -> Iterator[str]:
    yield "[oauth]"
    yield f"#url = {_text(next(_domains(workspace), 'https://portal.example.com'))}"
    yield ""
    yield "[cloudflare]"
    accounts = [app.values.get("account_id") for app in workspace.apps]
    account = next((each for each in accounts if isinstance(each, str) and each), None)
    yield f"account_id = {_text(account)}" if account else '#account_id = "00000000000000000000000000000000"'


def _domains(workspace: Workspace) -> Iterator[str]:
    """The addresses of the apps' custom domains."""
    for app in workspace.apps:
        routes = app.values.get("routes")
        for route in routes if isinstance(routes, list) else []:
            if isinstance(route, dict) and route.get("custom_domain") is True and isinstance(route.get("pattern"), str):
                yield f"https://{route['pattern']}"


def _limits() -> Iterator[str]:
    yield "[limits]"
    yield from _commented("statement_seconds", "max_answer_bytes", of=DEFAULTS.limits)


def _commented(*keys: str, of: object) -> Iterator[str]:
    for key in keys:
        yield f"#{key} = {json.dumps(getattr(of, key))}"


def _shown(workspace: Workspace, folder: Path) -> str:
    return _plain(f"{workspace.relative(folder)}/")


def _plain(text: str) -> str:
    """*text* as a comment can hold it."""
    return "".join(each if each.isprintable() else "?" for each in text)


def _text(text: str) -> str:
    """*text* as a TOML string: JSON's, with what TOML wants escaped besides."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
