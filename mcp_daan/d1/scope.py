"""The names within reach of an expression, and the secrets that each draws on."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from mcp_daan.d1.catalog import Relation, Secret, Secrets
from mcp_daan.d1.select import Cte, Expression

NOTHING: Secrets = frozenset()
_ROWID = frozenset({"rowid", "_rowid_", "oid"})


@dataclass(frozen=True, slots=True)
class Column:
    """A column and the secrets it draws on; if its name is SQLite's invention, *inner* are names it may go by."""

    name: str
    draws: Secrets = NOTHING
    hidden: bool = False
    invented: bool = False
    inner: frozenset[str] = frozenset()


@dataclass(slots=True)
class Range:
    """What a name in FROM ranges over; *weak* if SQLite may not see it after all."""

    name: str
    columns: list[Column]
    relation: Relation | None = None
    weak: bool = False

    @property
    def visible(self) -> list[Column]:
        """The columns that `*` stands for."""
        return [column for column in self.columns if not column.hidden]

    def called(self, parts: tuple[str, ...]) -> bool:
        """Whether a column's name in *parts* may mean one of this range."""
        if len(parts) == 1 or parts[-2] == self.name:
            return True
        return len(parts) > 2 and self.relation is not None and parts[-2] == self.relation.name

    def find(self, name: str) -> list[Column]:
        """The columns that *name* means, `rowid` included."""
        found = [column for column in self.columns if column.name == name]
        if not found and name in _ROWID and self.relation is not None:
            return [column for column in self.columns if column.name == self.relation.key]
        return found


@dataclass(slots=True)
class Scope:
    """The names that an expression can use: those of its own SELECT, then those of the queries around it."""

    outer: "Scope | None" = None
    ranges: list[Range] = field(default_factory=list)
    aliases: dict[str, Secrets] = field(default_factory=dict)
    windows: dict[str, Secrets] = field(default_factory=dict)

    def find(self, parts: tuple[str, ...], *, quoted: bool) -> set[Secret]:
        """The secrets that a column's name may draw on: the innermost match, and every doubtful one on the way."""
        draws: set[Secret] = set()
        scope: Scope | None = self
        while scope is not None:
            found, firm = scope._here(parts)
            draws |= found
            if firm:
                return draws
            scope = scope.outer
        if quoted:
            draws |= self._invented(parts)
        return draws

    def _here(self, parts: tuple[str, ...]) -> tuple[set[Secret], bool]:
        draws: set[Secret] = set()
        firm = False
        for each in self.ranges:
            if not each.called(parts):
                continue
            exact = each.find(parts[-1])
            firm = firm or (bool(exact) and not each.weak)
            for column in exact or [column for column in each.columns if parts[-1] in column.inner]:
                draws |= column.draws
        if not firm and len(parts) == 1 and parts[0] in self.aliases:
            return draws | self.aliases[parts[0]], True
        return draws, firm

    def _invented(self, parts: tuple[str, ...]) -> set[Secret]:
        """What a quoted name that nothing bears may mean: any column whose name SQLite made up."""
        draws: set[Secret] = set()
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
    inner = frozenset(parts[-1] for parts in expression.names)
    return Column(expression.text.lower(), draws, invented=True, inner=inner)


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
        found.append(column if name == column.name else replace(column, name=name, invented=True, inner=frozenset()))
    return found


def renamed(columns: list[Column], names: Iterable[str] | None) -> list[Column]:
    """*columns* under *names*, where a CTE or a view gives its own."""
    if names is None:
        return numbered(columns)
    return [Column(name, column.draws) for name, column in zip(names, columns, strict=False)]
