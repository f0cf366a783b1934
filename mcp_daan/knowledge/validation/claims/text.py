"""What running text says: `table.column`, "the table `users`", the names of indexes."""

import re
from collections.abc import Iterator

from mcp_daan.knowledge.validation.claims.column_types import read_type
from mcp_daan.knowledge.validation.claims.said import Claims, ColumnClaim, IndexClaim
from mcp_daan.knowledge.validation.claims.subjects import Subject
from mcp_daan.knowledge.validation.passages import Block, Span
from mcp_daan.knowledge.validation.sentences import sentences, speaks_of_absence

_INDEX_NAME = re.compile(r"(?i)(?:idx|ix|uidx|uniq|index)_\w+|\w+_(?:idx|uniq)")
_DOTTED = re.compile(r"(?P<table>\w+)\.(?P<column>\w+)")
_WORD = re.compile(r"[A-Za-z_]\w*")
_TABLE_BEFORE = re.compile(r"(?i)\b(?:table|tabel)\s+$")
_TABLE_BEHIND = re.compile(r"(?i)[ -](?:table|tabel)\b")
_TABLES_BEFORE = re.compile(r"(?i)\b(?:tables|tabellen)\W+$")
_LINE = re.compile(
    r"(?i)^\W*(?:(?:columns|kolommen|velden|fields)|(?P<index>index(?:es|en)?|indices))\W*:\s*(?P<rest>.+?)[.;]?\s*$"
)
_COMMA = re.compile(r",(?:\s*(?:and|en)\b)?|\s(?:and|en)\s")
_PART = re.compile(
    r"\s*(?!(?i:none|geen|all|alle)\b)(?P<name>[A-Za-z_]\w*)(?:\s+\(?(?P<type>[A-Za-z]+(?: (?:NOT NULL|PRIMARY KEY))?)\)?)?\s*"
)
# `users.md` is a file, even where there is a table `users`.
_ENDINGS = set(
    "md mdx ts tsx js mjs cjs json jsonc toml sql py sh yml yaml csv txt html css astro sqlite db com nl".split()
)


def read_text_of(block: Block, subject: Subject | None, known: frozenset[str], *, main: bool, claims: Claims) -> None:
    """Add to *claims* what the sentences of *block*, about *subject*, say; *main*: it is about the database."""
    if block.kind == "paragraph" and subject is not None and (subject.certain or subject.likely):
        _told_in_a_line(block, subject, claims)
    for prose in block.texts:
        for sentence in sentences(prose):
            if not speaks_of_absence("".join(span.text for span in sentence)):
                _columns(sentence, known, claims)
                if main:
                    _names(sentence, block, claims)


def _told_in_a_line(block: Block, subject: Subject, claims: Claims) -> None:
    """ "Columns: `id`, `email` TEXT" or "Indexes: `by_mail`" below the heading of a table."""
    line = block.prose.line
    for text in block.prose.plain.split("\n"):
        found = _LINE.match(text)
        parts = [_PART.fullmatch(part) for part in _COMMA.split(found["rest"])] if found else []
        names = [part for part in parts if part]
        if found and len(names) == len(parts):
            if found["index"]:
                claims.indexes += (IndexClaim(each["name"], subject.name, (), line) for each in names)
            else:
                if not subject.certain:
                    claims.table(subject.name, subject.line, block)
                claims.columns_of(subject.name, [(each["name"], read_type(each["type"] or ""), line) for each in names])
        line += 1


def _columns(sentence: tuple[Span, ...], known: frozenset[str], claims: Claims) -> None:
    for span in sentence:
        found = _DOTTED.fullmatch(span.text) if span.kind == "code" else None
        if found and found["table"].lower() in known and found["column"].lower() not in _ENDINGS:
            claims.columns.append(ColumnClaim(found["table"], found["column"], span.line))


def _names(sentence: tuple[Span, ...], block: Block, claims: Claims) -> None:
    for number, span in enumerate(sentence):
        if span.kind != "code" or span.target or not _WORD.fullmatch(span.text):
            continue
        before = sentence[number - 1].text if number else ""
        behind = sentence[number + 1].text if number + 1 < len(sentence) else ""
        if _TABLE_BEFORE.search(before) or _TABLE_BEHIND.match(behind):
            claims.table(span.text, span.line, block)
        elif block.kind == "paragraph" and _TABLES_BEFORE.search(before):
            for each in _enumerated(sentence[number:]):
                claims.table(each.text, each.line, block)
        elif block.kind == "paragraph" and _INDEX_NAME.fullmatch(span.text):
            claims.indexes.append(IndexClaim(span.text, None, (), span.line))


def _enumerated(spans: tuple[Span, ...]) -> Iterator[Span]:
    """The words in code that follow each other with nothing but commas and "and" between."""
    for span in spans:
        if span.kind == "code" and _WORD.fullmatch(span.text):
            yield span
        elif not re.fullmatch(r"(?i)[\s,&]*(?:and|en)?\s*", span.text):
            return
