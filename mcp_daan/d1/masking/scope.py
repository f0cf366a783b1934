"""The names within reach of an expression, and the secrets that each draws on."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from mcp_daan.d1.masking.catalog import Relation, Secrets
from mcp_daan.d1.masking.select import Cte, Expression

NOTHING: Secrets = frozenset()


@dataclass(frozen=True, slots=True)
class Column:
    """A column and the secrets it draws on; *invented* if SQLite made up its name."""

    name: str
    draws: Secrets = NOTHING
    hidden: bool = False
    invented: bool = False


@dataclass(slots=True)
class Range:
    """What a name in FROM ranges over."""

    name: str
    columns: list[Column]
    relation: Relation | None = None

    @property
    def visible(self) -> list[Column]:
        """The columns that `*` stands for."""
        return [column for column in self.columns if not column.hidden]

    def called(self, parts: tuple[str, ...]) -> bool:
        """Whether a column's name in *parts* may mean one of this range."""
        if len(parts) == 1 or parts[-2] == self.name:
            return True
        return len(parts) > 2 and self.relation is not None and parts[-2] == self.relation.name


@dataclass(slots=True)
class Scope:
    """The names that an expression can use: those of its own SELECT, then those of the queries around it."""

    outer: "Scope | None" = None
    ranges: list[Range] = field(default_factory=list)
    aliases: dict[str, Secrets] = field(default_factory=dict)
    windows: dict[str, Secrets] = field(default_factory=dict)

    def find(self, parts: tuple[str, ...], *, quoted: bool) -> Secrets:
        """The secrets that a column's name draws on: those of its innermost match."""
        scope: Scope | None = self
        while scope is not None:
            found = [each for each in scope.ranges if each.called(parts)]
            columns = [column for each in found for column in each.columns if column.name == parts[-1]]
            if columns:
                return union(columns)
            if len(parts) == 1 and parts[0] in scope.aliases:
                return scope.aliases[parts[0]]
            scope = scope.outer
        return self._invented(parts) if quoted else NOTHING

    def _invented(self, parts: tuple[str, ...]) -> Secrets:
        """What a quoted name that nothing bears may mean: any column whose name SQLite made up."""
        draws = NOTHING
        scope: Scope | None = self
        while scope is not None:
            for each in scope.ranges:
                draws |= union(column for column in each.columns if column.invented and each.called(parts))
            scope = scope.outer
        return draws


@dataclass(slots=True)
class Known:
    """A CTE within reach; *columns* are there once its first part is read, for its own recursion."""

    cte: Cte
    around: "Environment"
    active: bool = False
    recursive: bool = False
    columns: list[Column] | None = None


@dataclass(slots=True)
class Environment:
    """The CTEs within reach."""

    outer: "Environment | None" = None
    known: dict[str, Known] = field(default_factory=dict)

    def find(self, name: str) -> Known | None:
        """The CTE called *name*."""
        place: Environment | None = self
        while place is not None:
            if name in place.known:
                return place.known[name]
            place = place.outer
        return None


def union(columns: Iterable[Column]) -> Secrets:
    """Every secret that one of *columns* draws on."""
    return NOTHING.union(*(column.draws for column in columns))


def column_of(expression: Expression, alias: str | None, draws: Secrets) -> Column:
    """The column that an entry of a result list gives, under the name that SQLite gives it."""
    if alias is not None:
        return Column(alias, draws)
    if expression.plain:
        return Column(expression.names[0][-1], draws)
    return Column(expression.text.lower(), draws, invented=True)


def numbered(columns: list[Column]) -> list[Column]:
    """*columns* of a subquery, a name that comes again numbered as SQLite does it: `id`, `id:1`."""
    taken: set[str] = set()
    found = []
    for column in columns:
        name, count = column.name, 0
        while name in taken:
            count += 1
            name = f"{column.name}:{count}"
        taken.add(name)
        found.append(column if name == column.name else replace(column, name=name, invented=True))
    return found


def renamed(columns: list[Column], names: Iterable[str] | None) -> list[Column]:
    """*columns* under *names*, where a CTE or a view gives its own."""
    if names is None:
        return numbered(columns)
    return [Column(name, column.draws) for name, column in zip(names, columns, strict=False)]
