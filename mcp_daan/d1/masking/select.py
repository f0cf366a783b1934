"""The shape of a SELECT: its sources, its result columns and which names stand where (`parse` reads it).

An expression is no tree here: it is the names, subqueries and windows that stand in it.
"""

from dataclasses import dataclass, field

_SORTING = frozenset("asc desc nulls first last".split())


class Unreadable(Exception):
    """The shape of the statement is not understood."""


@dataclass(slots=True)
class Expression:
    """What an expression draws on, and its text."""

    text: str = ""
    names: list[tuple[str, ...]] = field(default_factory=list)
    quoted: set[str] = field(default_factory=set)
    selects: list["Select"] = field(default_factory=list)
    exists: list["Select"] = field(default_factory=list)
    tables: list["Table"] = field(default_factory=list)
    windows: list[str] = field(default_factory=list)
    numbers: list[str] = field(default_factory=list)
    plain: bool = False

    @property
    def position(self) -> int | None:
        """The result column that it names by number, in ORDER BY and GROUP BY."""
        if len(self.numbers) != 1 or self.selects or not {name[-1] for name in self.names} <= _SORTING:
            return None
        number = self.numbers[0].replace("_", "")
        return int(number, 0) if number.lower().startswith("0x") or number.isdigit() else None


@dataclass(slots=True)
class Result:
    """One entry of a result list: an expression with an alias, or `*`, or `table.*`."""

    expression: Expression
    alias: str | None = None
    star: bool = False
    of: str | None = None


@dataclass(slots=True)
class Table:
    """A table, view, CTE or table-valued function in FROM or after IN."""

    schema: str | None
    name: str
    alias: str | None = None
    arguments: list[Expression] | None = None
    indexed: str | None = None
    start: int = 0
    end: int = 0


@dataclass(slots=True)
class Nested:
    """A SELECT in FROM."""

    select: "Select"
    alias: str | None = None


@dataclass(slots=True)
class Joined:
    """Sources joined to one another, in parentheses or a whole FROM; *alias* names the parentheses."""

    parts: list["Part"]
    alias: str | None = None


Source = Table | Nested | Joined


@dataclass(slots=True)
class Part:
    """A source with how it joins what stands left of it."""

    source: Source
    natural: bool = False
    using: list[str] = field(default_factory=list)
    on: Expression | None = None


@dataclass(slots=True)
class Core:
    """One SELECT or VALUES between the words of a compound."""

    results: list[Result] = field(default_factory=list)
    distinct: bool = False
    sources: Joined | None = None
    where: Expression | None = None
    groups: list[Expression] = field(default_factory=list)
    having: Expression | None = None
    windows: dict[str, Expression] = field(default_factory=dict)
    rows: list[list[Expression]] = field(default_factory=list)


@dataclass(slots=True)
class Cte:
    """A common table expression."""

    name: str
    columns: list[str] | None
    select: "Select"


@dataclass(slots=True)
class Select:
    """A whole SELECT, with its CTEs, its compound and its order."""

    ctes: list[Cte]
    cores: list[Core]
    operators: list[str]
    order: list[Expression]
    limit: Expression | None
