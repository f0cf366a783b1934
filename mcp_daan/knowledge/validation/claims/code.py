"""What fenced code says: CREATE statements, and diagrams of entities."""

import re

from mcp_daan.knowledge.validation.claims.column_types import read_type
from mcp_daan.knowledge.validation.claims.diagrams import read_diagram
from mcp_daan.knowledge.validation.claims.said import Claims, IndexClaim
from mcp_daan.knowledge.validation.passages import Block
from mcp_daan.knowledge.validation.replay import Statement, is_own, replay, statements

_NAME = r'["`\[]?(?P<{}>\w+)["`\]]?'
_CREATE_INDEX = re.compile(
    rf"""(?ix) create\s+(?:unique\s+)?index\s+(?:if\s+not\s+exists\s+)?(?:\w+\.)?{_NAME.format("name")}
    \s+on\s+{_NAME.format("table")}\s*\((?P<columns>[^()]*)\)"""
)
_CREATE_TABLE = re.compile(
    rf"(?i)create\s+(?:virtual\s+)?(?:table|view)\s+(?:if\s+not\s+exists\s+)?(?:\w+\.)?{_NAME.format('name')}"
)
_SCHEMA = re.compile(r"(?i)\b(?:create|alter|drop)\s+(?:unique\s+|virtual\s+)?(?:table|view|index|trigger)\b")


def read_fence(block: Block, claims: Claims) -> None:
    """Add to *claims* what the fenced code *block* says."""
    language = block.language.lower()
    if language in ("sql", "sqlite", "ddl", "") and _SCHEMA.search(block.prose.source):
        for statement in statements(block.prose.source, block.prose.line):
            _statement(statement, block, claims)
    elif language == "mermaid" and "erDiagram" in block.prose.source:
        diagram = read_diagram(block.prose.source, block.prose.line)
        for entity in diagram.entities:
            claims.table(entity.name, entity.line, block, loose=True)
            claims.columns_of(entity.name, entity.attributes)
        for line in diagram.unread:
            claims.not_read(line, "a line of a diagram")


def _statement(statement: Statement, block: Block, claims: Claims) -> None:
    index = _CREATE_INDEX.match(statement.sql)
    table = _CREATE_TABLE.match(statement.sql)
    if index:
        columns = [re.match(r"\W*(\w+)", part) for part in index["columns"].split(",")]
        names = tuple(found[1] for found in columns if found)
        claims.indexes.append(IndexClaim(index["name"], index["table"], names, statement.line))
    elif table:
        _table(statement, table["name"], block, claims)
    elif _SCHEMA.match(statement.sql):
        claims.not_read(statement.line, "a statement that changes a schema rather than tells it")


def _table(statement: Statement, name: str, block: Block, claims: Claims) -> None:
    made = replay([statement]).tables
    for table in made:
        claims.table(table.name, statement.line, block)
        lines = statement.sql.lower().split("\n")
        places = ((each, statement.line + _line_of(each.name, lines)) for each in table.columns)
        claims.columns_of(table.name, [(each.name, read_type(each.type), line) for each, line in places])
    if not made and not is_own(name):
        claims.not_read(statement.line, "a CREATE statement that SQLite does not understand")


def _line_of(name: str, lines: list[str]) -> int:
    """Where the column is defined, counted from the line of the statement: the first line below that begins so."""
    pattern = re.compile(rf"[\s(,\"`\[]*{re.escape(name.lower())}(?!\w)")
    return next((number for number, line in enumerate(lines) if number and pattern.match(line)), 0)
