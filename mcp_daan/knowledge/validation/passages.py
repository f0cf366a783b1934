"""A document as blocks with their lines, without what does not speak of today."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Literal

from mcp_daan.knowledge.markdown import front_matter, lines_of

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

IGNORE = "daan:ignore"
# A heading with one of these words speaks of another time than today.
_PAST = re.compile(
    r"(?i)\b(?:deprecated|obsolete|archived?|gearchiveerd|archief|historical|historische?|vervallen|verouderd"
    r"|removed|verwijderde?|superseded|voormalige?|planned|gepland|proposed|proposal|voorstel|roadmap)\b"
)
# So does one that begins with such a word, unless it names something: "History of `logins`" may be a table.
_BEGINS = re.compile(
    r"(?i)[\W\d]*(?:change ?log|wijzigingen|history|historie|geschiedenis|formerly|voorheen|future|toekomst)\b"
)


@dataclass(frozen=True)
class Span:
    """A run of text: plain, bold or code; a link's or image's `target` goes with its text."""

    kind: Literal["text", "bold", "code", "link", "image"]
    text: str
    line: int
    target: str = ""


@dataclass(frozen=True)
class Prose:
    """Text of one paragraph, item, cell or heading: its source and its spans; what is struck out is left out."""

    line: int
    source: str
    spans: tuple[Span, ...] = ()

    @property
    def plain(self) -> str:
        """The text as read, without marks; line breaks stay."""
        return "".join(span.text for span in self.spans)


NOTHING = Prose(0, "")


@dataclass(frozen=True)
class Block:
    """A block under its headings; `lead` is what stands right before it and introduces it.

    heading, paragraph: `prose`. list: `items`. table: `rows`, the first of them the header.
    fence: `prose.source` is the code, `prose.line` the line of the first line of code, `language` its word.
    """

    kind: Literal["heading", "paragraph", "list", "table", "fence"]
    headings: tuple[Prose, ...]
    prose: Prose = NOTHING
    lead: Prose = NOTHING
    items: tuple[Prose, ...] = ()
    rows: tuple[tuple[Prose, ...], ...] = ()
    language: str = ""

    @property
    def texts(self) -> Iterator[Prose]:
        """Every text of the block but code."""
        if self.kind in ("heading", "paragraph"):
            yield self.prose
        yield from self.items
        for row in self.rows:
            yield from row


@dataclass(frozen=True)
class Document:
    """The blocks of a text: those that speak of today, and those set aside.

    Aside are the sections whose heading says that they are past or planned, and the block or section that
    follows a `<!-- daan:ignore -->`.
    """

    today: tuple[Block, ...]
    aside: tuple[Block, ...]


def parse_document(text: str) -> Document:
    """The blocks of *text*, in order."""
    today: list[Block] = []
    aside: list[Block] = []
    ignore = False
    closed = 0  # how deep the heading stands whose section is set aside; 0: none
    for block in _blocks(text):
        if block is None:
            ignore = True
            continue
        if block.kind == "heading":
            depth = len(block.headings)
            if depth <= closed:
                closed = 0
            if not closed and (ignore or is_past(block.prose)):
                closed = depth
        (aside if closed or ignore else today).append(block)
        ignore = False
    return Document(tuple(today), tuple(aside))


def _blocks(text: str) -> list[Block | None]:
    """Every block; None stands for an ignore mark."""
    _, skipped = front_matter(text)
    plain = text.removeprefix("\ufeff")
    if skipped:
        plain = "\n" * skipped + "".join(lines_of(plain)[skipped:])
    return _Walk(_parser().parse(plain)).blocks()


def is_past(heading: Prose) -> bool:
    """Whether a heading says that its section is about another time than today."""
    words = "".join(span.text for span in heading.spans if span.kind != "code")
    names = any(span.kind == "code" for span in heading.spans)
    return bool(_PAST.search(words) or (not names and _BEGINS.match(words)))


@cache
def _parser() -> "MarkdownIt":
    from markdown_it import MarkdownIt

    return MarkdownIt("commonmark").enable(["table", "strikethrough"])


class _Walk:
    """One pass over markdown-it's flat tokens."""

    def __init__(self, tokens: Sequence["Token"]) -> None:
        self._tokens = tokens
        self._found: list[Block | None] = []
        self._headings: list[tuple[int, Prose]] = []
        self._lead = NOTHING

    def blocks(self) -> list[Block | None]:
        at = 0
        while at < len(self._tokens):
            at = self._step(at)
        return self._found

    def _step(self, at: int) -> int:
        token = self._tokens[at]
        if token.type == "heading_open":
            self._heading(token, _prose(self._tokens[at + 1]))
            return at + 3
        if token.type == "paragraph_open":
            self._lead = _prose(self._tokens[at + 1])
            self._add(Block("paragraph", (), self._lead))
            return at + 3
        if token.type in ("bullet_list_open", "ordered_list_open"):
            return self._list(at)
        if token.type == "table_open":
            return self._table(at)
        if token.type == "fence":
            words = token.info.split()
            first = (token.map[0] if token.map else 0) + 2
            self._add(Block("fence", (), Prose(first, token.content), self._lead, language=words[0] if words else ""))
        elif token.type == "html_block" and IGNORE in token.content:
            self._found.append(None)
        return at + 1

    def _add(self, block: Block) -> None:
        self._found.append(replace(block, headings=tuple(prose for _, prose in self._headings)))

    def _heading(self, token: "Token", prose: Prose) -> None:
        level = int(token.tag[1])
        while self._headings and self._headings[-1][0] >= level:
            self._headings.pop()
        self._headings.append((level, prose))
        self._lead = NOTHING
        self._add(Block("heading", (), prose))

    def _list(self, at: int) -> int:
        """The list at *at*; a list inside an item is a list of its own, which the item introduces."""
        place, lead = len(self._found), self._lead
        items: list[Prose] = []
        at += 1
        while not self._tokens[at].type.endswith("_list_close"):
            if self._tokens[at].type == "list_item_open" and self._tokens[at + 1].type == "paragraph_open":
                items.append(_prose(self._tokens[at + 2]))
                self._lead = items[-1]
                at += 4
            else:
                at = self._step(at)
        headings = tuple(prose for _, prose in self._headings)
        self._found.insert(place, Block("list", headings, lead=lead, items=tuple(items)))
        self._lead = NOTHING
        return at + 1

    def _table(self, at: int) -> int:
        rows: list[list[Prose]] = []
        while self._tokens[at].type != "table_close":
            token = self._tokens[at]
            if token.type == "tr_open":
                rows.append([])
            elif token.type == "inline":
                rows[-1].append(_prose(token))
            at += 1
        self._add(Block("table", (), lead=self._lead, rows=tuple(map(tuple, rows))))
        self._lead = NOTHING
        return at + 1


def _prose(inline: "Token") -> Prose:
    line = (inline.map[0] if inline.map else 0) + 1
    return Prose(line, inline.content, tuple(_spans(inline.children or [], line)))


def _spans(children: Sequence["Token"], line: int) -> Iterator[Span]:
    struck = bold = 0
    link: str | None = None
    for child in children:
        if child.type in ("s_open", "s_close"):
            struck += child.nesting
        elif child.type in ("strong_open", "strong_close"):
            bold += child.nesting
        elif child.type == "link_open":
            link = str(child.attrs.get("href", ""))
            yield Span("link", "", line, link)
        elif child.type == "link_close":
            link = None
        elif child.type in ("softbreak", "hardbreak"):
            line += 1
            yield Span("text", "\n", line - 1)
        elif struck:
            continue
        elif child.type == "image":
            yield Span("image", child.content, line, str(child.attrs.get("src", "")))
        elif child.type == "code_inline":
            # Code that is a link's text is the link's to check.
            yield Span("code", child.content, line, link or "")
        elif child.type == "text":
            yield Span("bold" if bold else "text", child.content, line, link or "")
