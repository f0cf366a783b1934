"""Read documents: which there are, one whole, or one section of it, in pieces that fit."""

import difflib
import hashlib
import re
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import apsw

from mcp_daan.errors import NotFound
from mcp_daan.knowledge.base import KnowledgeBase
from mcp_daan.knowledge.markdown import Section, document_title, lines_of, read_text, sections
from mcp_daan.knowledge.retrieval.index import consult, identity, scan_documents
from mcp_daan.knowledge.retrieval.pages import SEPARATOR, addresses
from mcp_daan.paging import decode_cursor, encode_cursor
from mcp_daan.protocol import Model, json_bytes

MOST_CANDIDATES = 40
_BREAK = re.compile(r"\r\n|\r|\n")
_ORDINAL = re.compile(r"(?P<path>.+?)\s*#(?P<number>[1-9]\d{0,5})")


class File(Model):
    """One document; `sections` counts its headings."""

    path: str
    title: str
    bytes: int
    sections: int


class Heading(Model):
    """A section's heading; `line` counts from 1 in the file."""

    title: str
    level: int
    line: int


@dataclass(frozen=True)
class Text:
    """A document or one section of it, verbatim; `first_line` is where `text` begins in the file."""

    title: str
    headings: list[Heading]
    text: str
    first_line: int


@dataclass(frozen=True)
class Piece:
    """As much of a text as fits, and the cursor for the rest."""

    text: str
    first_line: int
    next_cursor: str | None


def list_files(base: KnowledgeBase) -> tuple[list[File], list[str]]:
    """Every document, sorted by path, and the names of those that could not be read."""

    def ask(connection: apsw.Connection) -> tuple[list[File], list[str]]:
        rows: list[Any] = connection.execute(
            "SELECT name, title, bytes, headings, fault FROM pages WHERE kind = 'document' ORDER BY name"
        ).fetchall()
        files = [
            File(path=name, title=title or name.rsplit("/", 1)[-1], bytes=size, sections=headings or 0)
            for name, title, size, headings, _ in rows
        ]
        return files, [name for name, *_, fault in rows if fault is not None]

    return consult(identity(base), scan_documents(base), ("document",), ask)


def read_document(path: Path, section: str | None = None) -> Text:
    """The document in *path*, or the one section that *section* names.

    Raises NotFound with `data.candidates` when no section or more than one answers to it.
    """
    text = read_text(path)
    found = sections(text, mdx=path.suffix.lower() == ".mdx")
    title = document_title(text, path.name, found=found)
    if section is None:
        return Text(title, [_heading(each) for each in found], text, 1)
    chosen = found[find_section(found, section)]
    inside = [_heading(each) for each in found if chosen.line <= each.line <= chosen.end]
    return Text(title, inside, "".join(lines_of(text)[chosen.line - 1 : chosen.end]), chosen.line)


def read_migration(path: Path, section: str | None = None) -> Text:
    """The migration in *path*, whole; NotFound when a section of it is asked for, since it has none."""
    if section is not None:
        raise NotFound("A migration has no sections.", advice="Leave `section` out.", data={"candidates": []})
    return Text(path.name, [], read_text(path), 1)


def find_section(found: Sequence[Section], wanted: str) -> int:
    """The index of the section that *wanted* names: its address, its title, or its heading path or the end of that.

    `#2` after it takes the second of several. Capitals, punctuation and markup count only where they must.
    Raises NotFound with `data.candidates` when none or several answer to it.
    """
    named = addresses(found)
    if wanted in named:
        return named.index(wanted)
    matches = _matching(found, wanted, _exact) or _counted(found, wanted) or _matching(found, wanted, _loose)
    if len(matches) == 1:
        return matches[0]
    if matches:
        raise NotFound(
            f"{len(matches)} sections answer to that name.",
            advice="Take one of `data.candidates` as `section`.",
            data={"candidates": [named[number] for number in matches[:MOST_CANDIDATES]]},
        )
    near = difflib.get_close_matches(wanted[:200], named[:3000], 5, 0.5)
    raise NotFound(
        "No section answers to that name.",
        advice="Take one of `data.candidates` as `section`, or leave `section` out for the whole document.",
        data={"candidates": list(dict.fromkeys([*near, *named]))[:MOST_CANDIDATES]},
    )


def cut(text: str, *, cursor: str | None, max_bytes: int, json_room: int, first_line: int = 1) -> Piece:
    """The piece of *text* that *cursor* opens: at most *max_bytes* in UTF-8 and *json_room* as JSON.

    It ends at a line's end; a line that alone is too long is cut between characters.
    Raises InvalidArguments for a cursor that was given for another text.
    """
    mark = hashlib.sha256(text.encode()).hexdigest()[:16]
    start = min(decode_cursor(cursor, mark), len(text))

    def too_long(length: int) -> bool:
        piece = text[start : start + length]
        return len(piece.encode()) > max_bytes or json_bytes(piece) - 2 > json_room

    # A longer piece never costs less, so the longest that fits is found by halving.
    length = bisect_left(range(min(max_bytes, len(text) - start) + 1), True, key=too_long) - 1
    if start + length < len(text):
        # One character more is looked at, so that \r\n is not taken apart.
        ends = [found.end() for found in _BREAK.finditer(text[start : start + length + 1])]
        length = next((end for end in reversed(ends) if end <= length), length)
    end = start + length
    line = first_line + len(_BREAK.findall(text[:start]))
    return Piece(text[start:end], line, encode_cursor(end, mark) if end < len(text) else None)


def _matching(found: Sequence[Section], wanted: str, form: Callable[[str], str]) -> list[int]:
    """The sections of which the heading path, or its end, is *wanted* in *form*."""
    aim = form(wanted)
    if not aim:
        return []
    return [
        number
        for number, section in enumerate(found)
        if any(form(SEPARATOR.join(section.path[first:])) == aim for first in range(len(section.path)))
    ]


def _counted(found: Sequence[Section], wanted: str) -> list[int]:
    ordinal = _ORDINAL.fullmatch(wanted)
    if ordinal is None:
        return []
    number = int(ordinal["number"])
    return (_matching(found, ordinal["path"], _exact) or _matching(found, ordinal["path"], _loose))[number - 1 : number]


def _exact(name: str) -> str:
    return " ".join(name.split())


def _loose(name: str) -> str:
    # "## `d1_query`" and the link target "d1_query" are one name.
    return " ".join(re.findall(r"\w+", name.casefold()))


def _heading(section: Section) -> Heading:
    return Heading(title=section.title, level=section.level, line=section.line)
