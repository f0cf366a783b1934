"""LESSONS-LEARNED.md: which of its lines are generated, and which lessons people wrote in the others."""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from mcp_daan.knowledge.lessons.wording import normalised
from mcp_daan.knowledge.markdown import Section, lines_of, sections
from mcp_daan.protocol import Component

START = "<!-- lessons: generated from lessons/*.md; edit those files, not the lines down to the next comment -->"
END = "<!-- /lessons -->"
_START = re.compile(r"<!-- lessons\b.*-->\s*")
_END = re.compile(r"<!-- /lessons\b.*-->\s*")

_LABELS = {
    "problem": "problem",
    "probleem": "problem",
    "symptom": "problem",
    "solution": "solution",
    "oplossing": "solution",
    "fix": "solution",
    "evidence": "evidence",
    "bewijs": "evidence",
}
_LABEL = re.compile(rf"[ \t]*(?:[-*+][ \t]+)?[*_]*({'|'.join(_LABELS)})[*_]*[ \t]*:[*_]*[ \t]*(.*)", re.I)
_DATE = re.compile(r"(?<!\d)\d{4}-\d\d-\d\d(?!\d)")
# The words by which the component is guessed; where none of them stands there is none.
_WORDS: dict[Component, re.Pattern[str]] = {
    "oauth": re.compile(r"\b(?:oauth\w*|auth|tokens?|refresh\w*|pkce|grants?|consent|scopes?)\b", re.I),
    "d1": re.compile(r"\b(?:d1|sqlite|sql|migrations?|migraties?|rows?|database|index(?:es)?|bookmarks?)\b", re.I),
    "astro": re.compile(r"\b(?:astro|ssr|islands?|hydration|prerender\w*)\b", re.I),
    "workers": re.compile(r"\b(?:workers?|kv|wrangler|cold starts?|isolates?|durable|queues?|cron|bundle)\b", re.I),
}


@dataclass(frozen=True)
class Handwritten:
    """A heading of level 2 or deeper and what stands under it; `date` is the first ISO date in it."""

    id: str
    title: str
    component: Component | None
    date: str | None
    problem: str
    solution: str
    evidence: str | None
    line: int


def generated(lines: list[str]) -> list[tuple[int, int]]:
    """The generated regions as (first line, line after), each from a start mark to the end mark that follows it."""
    found: list[tuple[int, int]] = []
    start: int | None = None
    for number, line in enumerate(lines):
        if _START.fullmatch(line):
            start = number
        elif _END.fullmatch(line) and start is not None:
            found.append((start, number + 1))
            start = None
    return found


def handwritten(text: str) -> list[Handwritten]:
    """The lessons outside the generated regions.

    Sub-headings such as `### Problem` and `### Solution`, or lines such as `**Solution:** …`, tell the parts of the
    lesson above them; where nothing tells them apart, all is the problem.
    """
    lines = lines_of(text)
    for start, end in generated(lines):
        lines[start:end] = ["\n"] * (end - start)
    found = sections("".join(lines))
    return [each for number in range(len(found)) for each in _lesson(found, number, lines)]


def _lesson(found: list[Section], number: int, lines: list[str]) -> Iterator[Handwritten]:
    section = found[number]
    if section.level < 2 or _part(found, number) is not None:
        return
    parts: dict[str, str] = {}
    for name, text in _parts(found, number, lines):
        parts[name] = normalised(f"{parts.get(name, '')}\n\n{text}")
    if not any(parts.values()):
        return
    problem, solution, evidence = (parts.get(name, "") for name in ("problem", "solution", "evidence"))
    content = "\0".join((section.title, problem, solution, evidence))
    yield Handwritten(
        id=f"hand-{hashlib.sha256(content.encode()).hexdigest()[:8]}",
        title=section.title,
        component=_guess(" ".join((*section.path, *section.path, content))),
        date=_first_date(content),
        problem=problem,
        solution=solution,
        evidence=evidence or None,
        line=section.line,
    )


def _part(found: list[Section], number: int) -> str | None:
    """Which part of the lesson above it the section is; None when it is a lesson itself."""
    named = _LABELS.get(found[number].title.rstrip(":").strip().casefold())
    above = _above(found, number) if named else None
    return named if above is not None and above.level >= 2 else None


def _above(found: list[Section], number: int) -> Section | None:
    return next((each for each in reversed(found[:number]) if each.level < found[number].level), None)


def _parts(found: list[Section], number: int, lines: list[str]) -> Iterator[tuple[str, str]]:
    """(part, text) of the section's own lines, then of the sub-headings that are parts of it."""
    section = found[number]
    yield from _labelled("".join(lines[_body(section, lines) : section.own_end]))
    for place in range(number + 1, len(found)):
        if found[place].line > section.end:
            return
        part = _part(found, place)
        if part is not None and _above(found, place) is section:
            yield part, "".join(lines[_body(found[place], lines) : found[place].own_end])


def _body(section: Section, lines: list[str]) -> int:
    """The index of the line after the heading, which an underline makes one longer."""
    underlined = section.line < section.own_end and re.fullmatch(r" {0,3}(?:=+|-+)\s*", lines[section.line])
    return section.line + (1 if underlined and not lines[section.line - 1].lstrip().startswith("#") else 0)


def _labelled(text: str) -> Iterator[tuple[str, str]]:
    part, taken = "problem", ""
    for line in normalised(text).split("\n"):
        label = _LABEL.fullmatch(line)
        if label:
            yield part, taken
            part, line, taken = _LABELS[label[1].lower()], label[2], ""
        taken += f"{line}\n"
    yield part, taken


def _guess(text: str) -> Component | None:
    counts = {component: len(words.findall(text)) for component, words in _WORDS.items()}
    best = max(counts, key=lambda component: counts[component])
    return best if counts[best] else None


def _first_date(text: str) -> str | None:
    for found in _DATE.findall(text):
        try:
            return date.fromisoformat(found).isoformat()
        except ValueError:
            continue
    return None
