"""One document or migration as search sees it: what it is about, and its parts."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from mcp_daan.knowledge.lessons.handwritten import generated
from mcp_daan.knowledge.markdown import TITLE_CHARACTERS, Section, document_title, front_matter, lines_of, sections

Scope = Literal["docs", "lessons", "scraped", "migrations"]
VIEW = "LESSONS-LEARNED.md"
SEPARATOR = " > "
# A longer part says too little about where in it something stands.
PART_CHARACTERS = 8000
_DATES = ("scraped_at", "scrapedAt", "date")
_STATEMENT = re.compile(r"\s*((?:CREATE|ALTER|DROP|INSERT|UPDATE|DELETE|REPLACE|PRAGMA)\b[^(;=]*)", re.I)


@dataclass(frozen=True)
class Part:
    """Text under one heading before the next; `address` is what `knowledge_read` finds the section by."""

    address: str
    line: int
    end: int
    body: str


@dataclass(frozen=True)
class Page:
    """What is kept of a file."""

    title: str
    scope: Scope
    component: str
    dated: str | None
    headings: int
    parts: tuple[Part, ...]


def document_page(name: str, text: str) -> Page:
    """The document *name* with *text*."""
    file = name.rsplit("/", 1)[-1]
    front, skipped = front_matter(text)
    found = sections(text, mdx=name.lower().endswith(".mdx"))
    lines = lines_of(text)
    return Page(
        title=document_title(text, file, found=found),
        scope=_scope(name, front),
        component=front.get("component", ""),
        dated=next((day for key in _DATES if (day := _day(front.get(key, "")))), None),
        headings=len(found),
        parts=tuple(_document_parts(lines, found, skipped, generated(lines) if file == VIEW else [])),
    )


def migration_page(name: str, text: str) -> Page:
    """The migration *name* with *text*: one part a statement that stands at a line's begin."""
    lines = lines_of(text)
    starts = [number for number, line in enumerate(lines) if _STATEMENT.match(line)]
    parts: list[Part] = []
    for first, after in zip([0, *starts], [*starts, len(lines)], strict=True):
        named = _STATEMENT.match(lines[first]) if first < len(lines) else None
        parts += _split(" ".join(named[1].split())[:TITLE_CHARACTERS] if named else "", first + 1, lines[first:after])
    return Page(name.rsplit("/", 1)[-1], "migrations", "d1", None, 0, tuple(parts))


def addresses(found: Sequence[Section]) -> list[str]:
    """The heading path of each section; the second of one path ends in `#2`, and so on."""
    seen: dict[str, int] = {}
    named = []
    for section in found:
        path = SEPARATOR.join(section.path)
        seen[path] = seen.get(path, 0) + 1
        named.append(path if seen[path] == 1 else f"{path}#{seen[path]}")
    return named


def _document_parts(
    lines: list[str], found: list[Section], skipped: int, copies: list[tuple[int, int]]
) -> Iterator[Part]:
    first = found[0].line - 1 if found else len(lines)
    if "".join(lines[skipped:first]).strip():
        yield from _split("", skipped + 1, lines[skipped:first])
    for address, section in zip(addresses(found), found, strict=True):
        if any(start < section.line <= end for start, end in copies):
            continue  # the lesson's own file is searched
        yield from _split(address, section.line, lines[section.line : section.own_end], heading=1)


def _split(address: str, line: int, lines: list[str], heading: int = 0) -> Iterator[Part]:
    """Parts of bounded size; the first begins at *line*, its heading, which is no part of the body."""
    first, body, size = line, list[str](), 0
    at = line + heading
    for text in lines:
        if body and size + len(text) > PART_CHARACTERS:
            yield Part(address, first, at - 1, "".join(body))
            first, body, size = at, [], 0
        body.append(text)
        size += len(text)
        at += 1
    if body or heading:
        yield Part(address, first, max(at - 1, first), "".join(body))


def _scope(name: str, front: Mapping[str, str]) -> Scope:
    *folders, file = name.split("/")
    if "scraped" in folders or "scraped_at" in front:
        return "scraped"
    return "lessons" if "lessons" in folders or file == VIEW else "docs"


def _day(text: str) -> str | None:
    try:
        return date.fromisoformat(text[:10]).isoformat()
    except ValueError:
        return None
