"""Everything at once."""

import copy
from collections.abc import Callable, Mapping, Sequence
from typing import Literal

from mcp_daan.app import App
from mcp_daan.errors import DaanError
from mcp_daan.protocol import Model, Reply, Said
from mcp_daan.scopes import may
from mcp_daan.toolbox import run, tool
from mcp_daan.tools import scope_of
from mcp_daan.tools.harm import Pressing, most_pressing
from mcp_daan.tools.sources import MOST_DATABASES, Answer, Source, findings_of, hole, sources

# One that has not answered by then is left out; those here need a fraction of a second.
SECONDS = 8.0
# What a source keeps of that for its own last words.
MARGIN = 1.0
PRESSING = 10
# The answers of the sources stay in this process, so they need no cut.
INSIDE_BYTES = 8 << 20
# Component → the tool that shows the same as its line: who may not use the one does not see the other.
LINES = {
    "knowledge": "knowledge_validate",
    "d1": "d1_check",
    "oauth": "tokens_health",
    "workers": "workers_check",
    "astro": "workers_check",
    "kv": "kv_read",
    "git": "knowledge_validate",
    "cloudflare": "tokens_health",
}
STEPS = 3
SENTENCES, CHARACTERS = 4, 400
ASK = "Ask whoever gives out tokens for one with that scope."
State = Literal["ok", "attention", "broken", "unknown"]
Kind = Literal["absent", "failed", "forbidden", "late", "partial"]
WORDS: dict[State, str] = {"broken": "broken", "attention": "needs attention", "ok": "ok", "unknown": "unknown"}


class Line(Model):
    """The state of one component; `findings` counts errors and warnings."""

    component: str
    state: State
    summary: str
    findings: int


class Unseen(Model):
    """What could not be seen, and why: absent (there is nothing), failed, forbidden (a scope is missing), late, partial."""

    kind: Kind
    source: str
    component: str
    why: str
    next_step: str


class InfraStatus(Model):
    """One line a component, and what presses most in all of them."""

    components: list[Line]
    findings: list[Pressing]
    total: int
    unseen: list[Unseen]


@tool(title="See the state of everything", reads_only=True)
def infra_status(app: App) -> Reply[InfraStatus]:
    """Tell the state of everything in one call: a line a component, the ten most pressing findings, what was not seen.

    For an overview; the `tool` of a finding tells all of its kind.
    """
    reached, unseen = _reached(app)
    withheld = {component: scope for component, tool in LINES.items() if not may(scope := scope_of(tool))}
    asked = [each for each in sources(app, reached=reached) if each.component not in withheld]
    quiet = _quiet(app)
    said = app.crew.gather({each.name: _job(each, quiet) for each in asked}, seconds=SECONDS)
    answers = {name: each.answer for name, each in said.items()}
    answered = [(each, answers[each.name]) for each in asked if each.name in answers]
    findings = findings_of(answered)
    unseen += _unseen(asked, answers) + _forbidden(withheld)
    if len(app.databases) > MOST_DATABASES and "d1" not in withheld:
        more = f"Only the first {MOST_DATABASES} databases were looked at."
        unseen.append(Unseen(kind="partial", source="d1", component="d1", why=more, next_step="Call `d1_check`."))
    lines = _lines(asked, answers, findings, withheld)
    pressing = most_pressing(findings, PRESSING)
    return Reply(
        summary=_summary(lines, pressing),
        data=InfraStatus(
            components=lines,
            findings=pressing,
            total=sum(each.severity != "info" for each in findings),
            unseen=unseen,
        ),
        artifacts=list(dict.fromkeys(each.path for each in pressing if each.path)),
        recommendations=_steps(unseen, pressing),
        partial=any(each.kind != "absent" for each in unseen),
    )


def _reached(app: App) -> tuple[bool, list[Unseen]]:
    """Whether Cloudflare can be asked; else why not."""
    try:
        if app.cloudflare is not None:
            return True, []
        kind, why = "absent", "No token is set: what is deployed and what is remote was not looked at."
        step = "Set CLOUDFLARE_API_TOKEN (a token that only reads) and CLOUDFLARE_ACCOUNT_ID."
    except DaanError as error:
        kind, why, step = "failed", error.message, error.advice
    return False, [Unseen(kind=kind, source="cloudflare", component="cloudflare", why=why, next_step=step)]


def _quiet(app: App) -> App:
    """The app for calls inside this one: no progress, no cuts, no time beyond the deadline."""
    limits = app.settings.limits
    most = SECONDS - MARGIN
    within = limits.model_copy(
        update={
            "max_answer_bytes": INSIDE_BYTES,
            "request_seconds": min(limits.request_seconds, most),
            "connect_seconds": min(limits.connect_seconds, most),
            "statement_seconds": min(limits.statement_seconds, most),
        }
    )
    quiet = copy.copy(app)
    quiet.progress = lambda done, total, message: None
    quiet.__dict__["settings"] = app.settings.model_copy(update={"limits": within})
    # Once here instead of once in each thread.
    quiet.__dict__["workspace"], quiet.__dict__["databases"] = app.workspace, app.databases
    return quiet


def _job(source: Source, app: App) -> Callable[[], Said]:
    return lambda: run(source.tool, app, source.arguments)


def _unseen(asked: Sequence[Source], answers: Mapping[str, Answer]) -> list[Unseen]:
    found = []
    for each in asked:
        answer = answers.get(each.name)
        if answer is None:
            why, step = "It did not answer in time, or hangs since an earlier call.", "Call its tool by itself."
            kind: Kind = "late"
        elif answer["error"] is not None:
            kind = "absent" if answer["error"]["code"] == "not_found" else "failed"
            why, step = answer["error"]["message"], answer["recommendations"][0]
        elif answer["status"] == "partial":
            kind, (why, step) = "partial", hole(answer)
        else:
            continue
        found.append(Unseen(kind=kind, source=each.name, component=each.component, why=why, next_step=step))
    return found


def _forbidden(withheld: Mapping[str, str]) -> list[Unseen]:
    return [
        Unseen(kind="forbidden", source=component, component=component, why=_missing(scope), next_step=ASK)
        for component, scope in withheld.items()
    ]


def _missing(scope: str) -> str:
    return f"The scope {scope} is missing."


def _lines(
    asked: Sequence[Source],
    answers: Mapping[str, Answer],
    findings: Sequence[Pressing],
    withheld: Mapping[str, str],
) -> list[Line]:
    workers = answers.get("workers")
    portals = workers is not None and any(app["kind"] == "astro" for app in workers["data"].get("apps", []))
    lines = []
    for component in LINES:
        if component in withheld:
            told = _missing(withheld[component])
            lines.append(Line(component=component, state="unknown", summary=told, findings=0))
            continue
        if component == "astro" and not portals:
            continue
        behind = [each for each in asked if each.component == ("workers" if component == "astro" else component)]
        found = [each for each in findings if each.component == component and each.severity != "info"]
        own = [answers.get(each.name) for each in behind]
        state: State = "ok"
        if found:
            state = "broken" if any(each.severity == "error" for each in found) else "attention"
        elif not own or any(each is None or each["error"] is not None for each in own) or _none(component, own):
            state = "unknown"
        told = _told(component, own) if component != "astro" else f"{len(found)} findings about the portal."
        lines.append(Line(component=component, state=state, summary=told, findings=len(found)))
    return lines


def _none(component: str, own: Sequence[Answer | None]) -> bool:
    """Whether there is nothing of this kind to judge."""
    empty = {"workers": "There is no", "kv": "No KV", "cloudflare": "No credentials", "git": "No branch"}
    start = empty.get(component)
    return start is not None and all(each is not None and each["summary"].startswith(start) for each in own)


def _told(component: str, own: Sequence[Answer | None]) -> str:
    if not own:
        return "There is no database." if component == "d1" else "It was not asked."
    words = list(dict.fromkeys(each["summary"] if each else "It did not answer in time." for each in own))
    return " ".join(words[:SENTENCES])[:CHARACTERS]


def _summary(lines: Sequence[Line], pressing: Sequence[Pressing]) -> str:
    counts = {state: [line.component for line in lines if line.state == state] for state in WORDS}
    told = "; ".join(f"{words}: {', '.join(counts[state])}" for state, words in WORDS.items() if counts[state])
    first = f" Most pressing: {pressing[0].code}." if pressing else ""
    return f"{told[0].upper()}{told[1:]}.{first}"


def _steps(unseen: Sequence[Unseen], pressing: Sequence[Pressing]) -> list[str]:
    """What was not seen, then what presses most."""
    holes = [
        f"{each.source}: {each.why} {each.next_step}" for each in unseen if each.kind not in ("absent", "forbidden")
    ]
    # Once for all: three lines of it would push out what went wrong.
    withheld = [each.component for each in unseen if each.kind == "forbidden"]
    asking = [f"Not shown, since a scope is missing: {', '.join(withheld)}. {ASK}"] if withheld else []
    return holes[:STEPS] + asking + [f"{each.code}: {each.next_step}" for each in pressing[:STEPS]]
