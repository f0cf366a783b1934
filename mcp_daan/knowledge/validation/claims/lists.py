"""What lists say: of tables, of columns, of indexes."""

import re

from mcp_daan.knowledge.validation.claims.column_types import read_type
from mcp_daan.knowledge.validation.claims.said import Claims, IndexClaim
from mcp_daan.knowledge.validation.claims.subjects import Subject, ends_open, identifier
from mcp_daan.knowledge.validation.passages import Block, Prose
from mcp_daan.knowledge.validation.sentences import speaks_of_absence

_TABLES = re.compile(r"(?i)\b(?:tables|tabellen)\b")
_COLUMNS = re.compile(r"(?i)\b(?:columns|kolommen|velden|fields)\b")
_INDEXES = re.compile(r"(?i)\b(?:index(?:es|en)?|indices)\b")
_TYPE = re.compile(r"\s*(?:[:–—-]\s*)?(?P<bracket>\(?)\s*(?P<rest>[A-Za-z].*)", re.S)
_AFTER_TYPE = re.compile(r"(?:\s*\([\d,\s]+\))?\s*(?:$|[\n,;.:)–—-])")
_OF_COLUMNS = re.compile(r"`?(?P<of>\w+)`?\s*\(`?(?P<columns>\w[\w\s,`]*)\)")
_NAMES = re.compile(r"\s*[:(–—-]\s*(?P<names>(?:\w+\s*,\s*)+\w+)\s*\)?\s*\.?\s*$")


def read_list(block: Block, subject: Subject | None, *, main: bool, claims: Claims) -> None:
    """Add to *claims* what the list *block*, about *subject*, says; *main*: the document is about the database."""
    about = block.lead.plain or (block.headings[-1].plain if block.headings else "")
    if _INDEXES.search(about) and len(about) < 80:
        _indexes(block, subject, claims)
    elif main and _TABLES.search(about) and len(about) < 160 and not speaks_of_absence(about):
        _tables(block, claims)
    elif subject is not None:
        _columns(block, subject, _COLUMNS.search(about) is not None, claims)


def _indexes(block: Block, subject: Subject | None, claims: Claims) -> None:
    for item in block.items:
        name = identifier(item)
        if name is None:
            continue
        table = subject.name if subject else None
        columns: list[str] = []
        behind = re.split(r"(?i)\b(?:on|op|over)\b", item.plain, maxsplit=1)
        found = _OF_COLUMNS.match(behind[-1].strip())
        if found:  # "idx (a, b)" or "idx on users (a, b)"
            columns = re.findall(r"\w+", found["columns"])
            table = found["of"] if len(behind) > 1 else table
        elif len(behind) > 1:
            codes = [span.text for span in item.spans if span.kind == "code"][1:]
            columns = codes if all(re.fullmatch(r"\w+", each) for each in codes) else []
        claims.indexes.append(IndexClaim(name, table, tuple(columns), item.line))


def _tables(block: Block, claims: Claims) -> None:
    for item in block.items:
        name = identifier(item)
        if name is None or speaks_of_absence(item.plain):
            continue
        claims.table(name, item.line, block)
        found = _NAMES.match(item.plain.lstrip()[len(name) :])
        if found:
            claims.columns_of(name, ((each, None, item.line) for each in re.findall(r"\w+", found["names"])))


def _columns(block: Block, subject: Subject, said: bool, claims: Claims) -> None:
    """A list is one of columns when half of its items have a type, or all have a name and the text says so."""
    read = [(identifier(item), _type_of(item), item) for item in block.items]
    types = [kind for _, kind, _ in read if kind]
    if not len(types) * 2 >= max(len(read), 1) and not (said and all(name for name, _, _ in read)):
        return
    # "Parameters", "Properties": lists of names with types stand in many places.
    if not (subject.certain or subject.likely or sum(kind.isupper() for kind in types) * 2 >= len(read)):
        return
    if not subject.certain:
        claims.table(subject.name, subject.line, block)
    for name, _, item in read:
        if ends_open(item):
            claims.unfinished.add(subject.name.lower())
        elif name is None:
            claims.not_read(item.line, f"an item among the columns of `{subject.name}` that names none")
    claims.columns_of(subject.name, ((name, kind, item.line) for name, kind, item in read if name))


def _type_of(item: Prose) -> str | None:
    """The type that stands right behind the item's name, if one does: "`id` INTEGER", "id (int)", "`id text`"."""
    name = identifier(item)
    found = _TYPE.match(item.plain[item.plain.index(name) + len(name) :]) if name else None
    kind = read_type(found["rest"]) if found else None
    if not kind or not found:
        return None
    first = next(span for span in item.spans if span.text.strip())
    in_code = len(first.text.strip(" :")) > len(name or "") or any(
        span.kind == "code" and span.text.startswith(kind) for span in item.spans[1:]
    )
    # "`date` number of days" begins with a type too: a word in small letters has to stand alone.
    alone = found["bracket"] or _AFTER_TYPE.match(found["rest"][len(kind) :])
    return kind if in_code or kind.isupper() or alone else None
