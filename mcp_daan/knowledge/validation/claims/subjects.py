"""Which table a part of a document is about: by what introduces it, else by its headings."""

import re
from dataclasses import dataclass, replace

from mcp_daan.knowledge.validation.passages import Block, Prose

_TABLE_BEFORE = re.compile(r"(?i)\b(?:table|tabel|view)\b\s*[:–—-]?\s*[`\"'*]*(?P<name>[A-Za-z_]\w*)")
_TABLE_BEHIND = re.compile(r"(?i)[`\"'*]*\b(?P<name>[A-Za-z_]\w*)[`\"'*]*[ -](?:table|tabel)\b")
# Words that stand beside "table" and are no name.
_NO_NAME = set(
    "the a an of for with in on and or is are has have this that each every per to as by from van de het een en met"
    " in op is zijn per elke deze die voor main other same new old following columns column kolommen kolom schema"
    " structure structuur overview overzicht definition definitie layout description beschrijving name naam heet holds"
    " below above hieronder hierboven database d1 sql lookup pivot hash time all alle data".split()
)
# A heading of these words is about the table that the heading above it names.
_PART = re.compile(
    r"(?i)^[\W\d]*(?:columns?|kolom(?:men)?|velden|fields?|schema|structure|structuur|index(?:es|en)?|indices|notes?"
    r"|ddl|sql|definition|definitie|constraints?|relations?|relaties|keys|sleutels|opmerkingen|types?|attributes|attributen)\b"
    r"[\s\w]{0,24}$"
)
_PLAIN = re.compile(r"^(?:\d+(?:\.\d+)*[.)]?\s+)?\W*(?P<name>[A-Za-z_]\w*)\s*(?:$|[(:–—]|-\s).*$", re.S)
_WORDS = re.compile(r"^(?:\d+(?:\.\d+)*[.)]?\s+)?\W*(?P<name>[A-Za-z][\w ]+?)\s*(?:$|[(:–—]|-\s).*$", re.S)
_TABLES = re.compile(r"(?i)^[\W\d]*(?:the |de |d1[ -]|database ?)?(?:tables|tabellen)\W*$")
_MARKS = re.compile(r"^[\s*🔑⚿_]*(?:\((?:pk|fk|uk|primary key|[\w ,]+)\)|pk|fk|uk|[*🔑⚿?†‡]|\s|,)*$", re.I)


@dataclass(frozen=True)
class Subject:
    """A table's name and the line that names it.

    `certain`: the text says that it is a table, or there is one of that name; `likely`: it looks like one in a
    document about the database.
    """

    name: str
    line: int
    certain: bool
    likely: bool = False


def subject_of(block: Block, known: frozenset[str], *, main: bool) -> Subject | None:
    """The table that *block* is about, if it is about one.

    *known* holds the names of tables in small letters; *main*: the document is about the database.
    """
    found = _subject(block, known)
    if found is None or found.certain:
        return found
    looks = found.name.lower() in known or (main and re.fullmatch(r"[a-z][a-z0-9_]*", found.name) is not None)
    return replace(found, certain=block.kind == "heading" and looks and _listed(block), likely=looks)


def _subject(block: Block, known: frozenset[str]) -> Subject | None:
    if block.kind != "heading" and block.lead.source:
        found = _introduced(block.lead, known)
        if found is not None:
            return found
    for heading in reversed(block.headings):
        found = _titled(heading, known)
        if found is not None:
            return found
        if not _PART.match(heading.plain):
            return None
    return None


def _listed(block: Block) -> bool:
    """Whether a heading stands under one such as "Tables"."""
    return any(_TABLES.match(heading.plain) for heading in block.headings[:-1])


def identifier(prose: Prose) -> str | None:
    """The name that a list's item begins with: in code, in bold, or before a dash, a colon or a bracket."""
    first = next((span for span in prose.spans if span.text.strip()), None)
    if first is None:
        return None
    text = first.text.strip()
    if first.kind in ("code", "bold"):
        found = re.match(r"([A-Za-z_]\w*)(?:\s|:?$|\()", text)
    else:
        found = re.match(r"([a-z_][a-z0-9_]*)\s*(?:[:(–—]|-\s|$|[A-Z]{3,}\b)", text)
    return found[1] if found else None


def cell_names(cell: Prose) -> list[str]:
    """The names that a table's cell holds and nothing else but marks such as (PK); empty when it holds more."""
    codes = [span.text.strip() for span in cell.spans if span.kind == "code"]
    rest = "".join(span.text for span in cell.spans if span.kind not in ("code", "link", "image"))
    if codes:
        words = [re.match(r"[A-Za-z_]\w*$", code) for code in codes]
        return codes if all(words) and re.fullmatch(r"[\s,/+&]*|[\s\S]*\((?:[\w ,]*)\)\s*|\s*[*🔑?†]\s*", rest) else []
    parts = [part for part in re.split(r"[,/+]", cell.plain) if part.strip()]
    found = [re.match(r"\s*([A-Za-z_]\w*)", part) for part in parts]
    if not all(found):
        return []
    marks = (part[match.end() :] for part, match in zip(parts, found, strict=True) if match)
    return [match[1] for match in found if match] if all(_MARKS.match(mark) for mark in marks) else []


def ends_open(prose: Prose) -> bool:
    """Whether a row or item says that there are more, as "..." or "etc." does."""
    return (
        re.fullmatch(r"(?i)\W*(?:\.\.\.|…|etc\b|enz\b|and so on|and more|en meer)\W*", prose.plain.strip()) is not None
    )


def _introduced(lead: Prose, known: frozenset[str]) -> Subject | None:
    """The table that the text before a block names: "Table `users`:", "**users**", "Columns of `users`:"."""
    plain = lead.plain.strip()
    if len(plain) > 160:
        return None
    last = plain.splitlines()[-1] if plain else ""
    named = _named(last)
    codes = [span.text for span in lead.spans if span.kind in ("code", "bold") and re.fullmatch(r"\w+:?", span.text)]
    line = lead.line + plain.count("\n")
    if named and (named.lower() in known or f"`{named}`" in lead.source or f"*{named}" in lead.source):
        return Subject(named, line, True)
    if len(codes) == 1 and (
        last.strip(" :") == codes[0].strip(":") or (last.endswith(":") and codes[0].lower() in known)
    ):
        name = codes[0].strip(":")
        return Subject(name, line, name.lower() in known)
    return None


def _titled(heading: Prose, known: frozenset[str]) -> Subject | None:
    plain = heading.plain.strip()
    named = _named(plain)
    if named:
        # "Table design" is no table called design, unless it looks or proves to be one.
        written = re.search(rf"(?i)(?:table|tabel|view)\s*[:–—-]\s*\W*{named}\b|[`\"']{named}[`\"']", heading.source)
        return Subject(named, heading.line, bool(written) or named.lower() in known)
    codes = [span.text for span in heading.spans if span.kind == "code"]
    if len(codes) == 1 and re.fullmatch(r"[A-Za-z_]\w*", codes[0]):
        return Subject(codes[0], heading.line, codes[0].lower() in known)
    found = _PLAIN.match(plain)
    if found and not _PART.match(plain):
        name = found["name"]
        return Subject(name, heading.line, name.lower() in known and name == plain)
    words = _WORDS.match(plain)
    joined = words["name"].strip().lower().replace(" ", "_") if words else ""
    return Subject(joined, heading.line, False) if joined in known else None


def _named(text: str) -> str | None:
    for pattern in (_TABLE_BEFORE, _TABLE_BEHIND):
        for found in pattern.finditer(text):
            if found["name"].lower() not in _NO_NAME:
                return found["name"]
    return None
