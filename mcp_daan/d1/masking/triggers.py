"""Where triggers copy columns to: what they write from a secret is a secret too."""

from collections.abc import Iterator

from mcp_daan.d1.masking.catalog import Catalog, Secret
from mcp_daan.d1.masking.parse import Reader
from mcp_daan.d1.masking.select import Joined, Table, Unreadable
from mcp_daan.d1.masking.words import tokens

_ANYTHING: set[str] = set()


def copied_secrets(catalog: Catalog, secrets: set[Secret]) -> set[Secret]:
    """The columns that some trigger fills with something that draws on one of *secrets*."""
    found: set[Secret] = set()
    for table, sql in catalog.triggers:
        for statement in _statements(sql):
            words = _words(statement)
            hidden = {column for owner, column in secrets if owner in words or owner == table}
            if hidden.isdisjoint(words) and not (hidden and "*" in statement):
                continue
            target, writes = _read(statement, catalog)
            found |= {(target, column) for column, drawn in writes if drawn is _ANYTHING or drawn & hidden}
    return found


def _words(text: str) -> set[str]:
    return {token.name or token.word for token in tokens(text)}


def _statements(sql: str) -> Iterator[str]:
    """The statements between BEGIN and END of a trigger."""
    words = tokens(sql)
    start = next((token.end for token in words if token.word == "BEGIN"), len(sql))
    for token in words:
        if token.word == ";" and token.start >= start:
            yield sql[start : token.start]
            start = token.end


def _read(statement: str, catalog: Catalog) -> tuple[str, list[tuple[str, set[str]]]]:
    """The table that a statement writes, and with each column the words of what it writes there."""
    reader = Reader(statement)
    try:
        while reader.word() not in ("INTO", "UPDATE"):
            reader.next()
        inserts = reader.next().word == "INTO"
        if reader.take("OR"):
            reader.next()
        target = reader.name()
        columns = list(catalog.relations[target].visible) if target in catalog.relations else []
        writes = _inserted(reader, columns) if inserts else []
        return target, [*writes, *_set(reader)]
    except Unreadable:
        return "", []


def _inserted(reader: Reader, columns: list[str]) -> list[tuple[str, set[str]]]:
    """What INSERT writes, with *columns* where it names none."""
    if reader.word() == "(":
        columns = reader.names()
    select = reader.select()
    found: list[tuple[str, set[str]]] = []
    for core in select.cores:
        for row in core.rows or [[result.expression for result in core.results]]:
            drawn = [_words(expression.text) for expression in row]
            # A star stands for any number of columns, and a subquery's columns may go by any name.
            if select.ctes or _renames(core.sources) or any(result.star for result in core.results):
                drawn = [_ANYTHING] * len(columns)
            found += zip(columns, drawn, strict=False)
    return found


def _renames(sources: Joined | None) -> bool:
    return sources is not None and any(not isinstance(part.source, Table) for part in sources.parts)


def _set(reader: Reader) -> list[tuple[str, set[str]]]:
    """What stands behind SET, if there is one: of UPDATE, or of ON CONFLICT."""
    while reader.peek().kind != "end" and not reader.take("SET"):
        reader.next()
    found: list[tuple[str, set[str]]] = []
    while reader.peek().kind != "end":
        columns = reader.names() if reader.word() == "(" else [reader.name()]
        reader.need("=")
        drawn = _words(reader.expression().text)
        found += [(column, drawn) for column in columns]
        if not reader.take(","):
            break
    if reader.take("FROM") and _renames(reader.joined()):
        return [(column, _ANYTHING) for column, _ in found]
    return found
