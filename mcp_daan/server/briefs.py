"""The specialist's brief and the team's workflows, with the workspace's facts filled in."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from string import Template

from mcp_daan.app import App
from mcp_daan.errors import DaanError
from mcp_daan.server.offer import Offer
from mcp_daan.toolbox import run
from mcp_daan.tools import all_tools

LANGUAGES = ("nl", "en")


@dataclass(frozen=True)
class Brief:
    """A prompt: its arguments (name → description; the first `required` must be given), language, and the tools that it is about."""

    title: str
    description: str
    arguments: Mapping[str, str] = field(default_factory=dict)
    required: int = 0
    language: str = "en"
    needs: tuple[str, ...] = ()


PROMPTS = {
    "daan": Brief(
        "Daan, backend- en infrastructuurspecialist",
        "The specialist's brief: role, mandatory workflow, pitfalls, Output Protocol, the assignment.",
        {"opdracht": "The assignment, in any language.", "language": "nl (default) or en."},
        required=1,
        language="nl",
    ),
    "kennisvalidatie": Brief(
        "Kennisvalidatie",
        "The team's mandatory first step, in two parts, before any task.",
        language="nl",
        needs=("knowledge_validate",),
    ),
    "token_incident": Brief(
        "Token incident",
        "Find out why connections fail, without making it worse.",
        {"connection": "The id of one connection; leave it out for all."},
        needs=("tokens_health",),
    ),
    "migration_review": Brief(
        "Migration review",
        "Review what a migration would do to a database.",
        {"database": "A name of `d1_databases`."},
        required=1,
        needs=("d1_migrations",),
    ),
    "lessons_retro": Brief(
        "Lessons retrospective",
        "Write down what a task taught.",
        {"task": "What was done."},
        required=1,
        needs=("lessons_append",),
    ),
}


def filled(app: App, offer: Offer, name: str, given: Mapping[str, str]) -> str:
    """The text of prompt *name* with *given* and those facts of the workspace that *offer* shows."""
    language = given.get("language") or PROMPTS[name].language
    template = files("mcp_daan").joinpath("prompts", f"{name}.{language}.md").read_text(encoding="utf-8")
    facts = {key: _fact(key, app, offer) for key in FACTS if f"${key}" in template}
    chosen = {key: given.get(key) or "(all)" for key in PROMPTS[name].arguments}
    absent = [f"`{each}`" for each in all_tools() if f"`{each}`" in template and not offer.holds(each)]
    note = f"\nNot offered by this server: {', '.join(absent)}.\n" if absent else ""
    return app.redact(Template(template).substitute(facts | chosen) + note)


def _fact(key: str, app: App, offer: Offer) -> str:
    if key in BEHIND and not offer.holds(BEHIND[key]):
        return "(not offered here)"
    try:
        return FACTS[key](app)
    except DaanError as error:  # a brief without one fact is better than none, and says what is missing
        return f"(unknown: {error.message})"


def _branch(app: App) -> str:
    from mcp_daan.knowledge.repository import head_branch

    return head_branch(app.workspace.root) or "none (no git, or a detached HEAD)"


def _databases(app: App) -> str:
    return ", ".join(f"{each.name} ({each.location})" for each in app.databases) or "none found"


def _health(app: App) -> str:
    return str(run(all_tools()["tokens_health"], app, {"limit": 1}).answer["summary"])


# The tool that shows the same as a fact.
BEHIND = {
    "databases": "d1_databases",
    "knowledge": "knowledge_read",
    "branch": "knowledge_validate",
    "facts": "tokens_health",
}
FACTS: dict[str, Callable[[App], str]] = {
    "workspace": lambda app: app.workspace.root.name,
    "databases": _databases,
    "knowledge": lambda app: f"{app.knowledge.origin}, {len(app.knowledge.files())} documents",
    "branch": _branch,
    "date": lambda app: app.now.date().isoformat(),
    "facts": _health,
}
