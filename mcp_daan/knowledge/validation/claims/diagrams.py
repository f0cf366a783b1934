"""Mermaid's entity-relationship diagrams, as far as they tell tables and columns."""

import re
from dataclasses import dataclass

from mcp_daan.knowledge.validation.claims.column_types import read_type

_NAME = r'"?(?P<{0}>[A-Za-z_][\w-]*)"?(?:\[[^\]]*\])?'
_RELATION = re.compile(
    rf"{_NAME.format('left')}\s+[|}}o]?[|o}}]?(?:--|\.\.|-\.|\.-)[|o{{]?[|o{{]?\s+{_NAME.format('right')}\s*(?::.*)?$"
)
_OPEN = re.compile(rf"{_NAME.format('left')}\s*(?::::\w+)?\s*\{{\s*(?P<closed>\}})?\s*$")
_ALONE = re.compile(rf"{_NAME.format('left')}\s*$")
_ATTRIBUTE = re.compile(
    r'(?P<type>[A-Za-z_][\w()\[\],-]*)\s+(?P<name>\*?[A-Za-z_]\w*)(?:\s+(?:PK|FK|UK)[\w, ]*)?(?:\s+"[^"]*")?$'
)
_OTHER = re.compile(r"%%|title\b|direction\b|accTitle|accDescr|classDef\b|class\b|style\b|---")


@dataclass(frozen=True)
class Entity:
    """An entity, and its attributes as (name, type, line)."""

    name: str
    line: int
    attributes: tuple[tuple[str, str | None, int], ...] = ()


@dataclass(frozen=True)
class Diagram:
    """The entities of a diagram, and the lines that could not be read."""

    entities: tuple[Entity, ...]
    unread: tuple[int, ...]


def read_diagram(source: str, first_line: int) -> Diagram:
    """The entities that *source* draws; *first_line* is where it stands in its document."""
    seen: dict[str, int] = {}
    attributes: dict[str, list[tuple[str, str | None, int]]] = {}
    unread: list[int] = []
    inside = ""
    for number, raw in enumerate(source.splitlines(), first_line):
        line = raw.strip()
        if not line or line == "erDiagram" or _OTHER.match(line):
            continue
        if inside:
            inside = _attribute(line, number, inside, attributes, unread)
        elif found := _OPEN.match(line):
            seen.setdefault(found["left"], number)
            inside = "" if found["closed"] else found["left"]
        elif found := _RELATION.match(line):
            seen.setdefault(found["left"], number)
            seen.setdefault(found["right"], number)
        elif found := _ALONE.match(line):
            seen.setdefault(found["left"], number)
        else:
            unread.append(number)
    entities = (Entity(name, line, tuple(attributes.get(name, ()))) for name, line in seen.items())
    return Diagram(tuple(entities), tuple(unread))


def _attribute(
    line: str, number: int, entity: str, attributes: dict[str, list[tuple[str, str | None, int]]], unread: list[int]
) -> str:
    """Read one line inside *entity*; gives the entity that is still open."""
    if line == "}":
        return ""
    found = _ATTRIBUTE.match(line)
    if found:
        attributes.setdefault(entity, []).append((found["name"].lstrip("*"), read_type(found["type"]), number))
    else:
        unread.append(number)
    return entity
