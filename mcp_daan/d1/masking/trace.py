"""Follow secrets through a SELECT: from its sources, through subqueries, CTEs and views, to its result columns."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import apsw

from mcp_daan.d1.masking.catalog import Catalog, Relation, Secret, Secrets, table_function
from mcp_daan.d1.masking.parse import read_view
from mcp_daan.d1.masking.scope import (
    NOTHING,
    Column,
    Environment,
    Known,
    Range,
    Scope,
    column_of,
    numbered,
    renamed,
    union,
)
from mcp_daan.d1.masking.select import Core, Expression, Joined, Nested, Part, Result, Select, Table, Unreadable
from mcp_daan.errors import Refused

# Virtual tables that show the words inside another one; over a secret one they cannot even be opened.
VOCABULARIES = frozenset({"fts5vocab", "fts4aux"})


@dataclass(slots=True)
class Outcome:
    """The result columns of a SELECT and the secrets that it uses outside of them."""

    columns: list[Column]
    elsewhere: set[Secret] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Source:
    """A table or view where a text names it: in FROM, or *listed* behind IN."""

    table: Table
    relation: Relation
    listed: bool


@dataclass(frozen=True, slots=True)
class Behind:
    """What stands behind a view: its own sources, and every table and view that it reads in the end."""

    outcome: Outcome
    seen: frozenset[Secret]
    sources: tuple[Source, ...]
    relations: frozenset[str]


def named(secrets: Iterable[Secret]) -> str:
    """The names of *secrets*, for a sentence."""
    return ", ".join(sorted(".".join(secret) for secret in secrets))


class Tracer:
    """Follows secrets through one statement.

    *seen* are all secrets that it met, *sources* the tables and views that its text names, by where they stand,
    *viewed* all that views among them read, *ctes* the names of its CTEs.
    """

    def __init__(self, connection: apsw.Connection, catalog: Catalog, secrets: Secrets) -> None:
        self.connection = connection
        self.catalog = catalog
        self.secrets = secrets
        self.seen: set[Secret] = set()
        self.sources: dict[int, Source] = {}
        self.viewed: set[str] = set()
        self.ctes: set[str] = set()

    def select(
        self,
        select: Select,
        around: Environment | None = None,
        outer: Scope | None = None,
        body_of: Known | None = None,
    ) -> Outcome:
        """The outcome of *select* among the CTEs *around* it and the names of the queries *outer* to it."""
        environment = Environment(around)
        environment.known = {cte.name: Known(cte, environment) for cte in select.ctes}
        self.ctes |= environment.known.keys()
        legs: list[list[Column]] = []
        reading = [_Reading(self, environment, Scope(outer)) for _ in select.cores]
        for core, each in zip(select.cores, reading, strict=True):
            legs.append(each.core(core))
            if body_of is not None and body_of.columns is None:
                body_of.columns = renamed(legs[0], body_of.cte.columns)
        columns = _compound(legs, select.operators)
        elsewhere: set[Secret] = set()
        for each in reading:
            for term in select.order:
                each.elsewhere |= each.term(term, columns)
            each.filter(select.limit)
        for term in select.order:
            # A name of a result column, in whichever part of a compound, goes before a name in FROM.
            name = term.names[0] if term.names else ()
            places = {at for leg in legs for at, column in enumerate(leg) if name == (column.name,)}
            elsewhere |= union(columns[at] for at in places)
        return Outcome(columns, elsewhere.union(*(each.elsewhere for each in reading)))

    def behind(self, view: Relation) -> Behind:
        """What stands behind *view*."""
        key = ("view", view.name, self.secrets)
        if key not in self.catalog.memory:
            inside = Tracer(self.connection, self.catalog, self.secrets)
            outcome = inside.select(read_view(view.sql))
            if len(outcome.columns) != len(view.columns):
                raise Unreadable
            sources = tuple(inside.sources.values())
            relations = inside.viewed | {source.relation.name for source in sources}
            self.catalog.memory[key] = Behind(outcome, frozenset(inside.seen), sources, frozenset(relations))
        found: Behind = self.catalog.memory[key]
        return found

    def view(self, view: Relation) -> Outcome:
        """The outcome of a view, under the names that its columns have outside."""
        behind = self.behind(view)
        self.seen |= behind.seen
        self.viewed |= behind.relations
        columns = [
            Column(name, column.draws | ({(view.name, name)} & self.secrets))
            for name, column in zip(view.columns, behind.outcome.columns, strict=True)
        ]
        return Outcome(columns, behind.outcome.elsewhere)

    def cte(self, known: Known, outer: Scope | None) -> Outcome:
        """The outcome of a CTE; inside its own body, what its first part gives."""
        if known.active:
            known.recursive = True
            if known.columns is None:
                raise Unreadable
            return Outcome(known.columns)
        known.active, known.columns = True, None
        outcome = self.select(known.cte.select, known.around, outer, body_of=known)
        known.active = False
        if known.recursive:
            refuse("a recursive WITH", union(outcome.columns) | outcome.elsewhere)
        return Outcome(renamed(outcome.columns, known.cte.columns), outcome.elsewhere)


class _Reading:
    """Reads one SELECT of a compound: its *scope*, and the secrets it uses *elsewhere* than in result columns."""

    def __init__(self, tracer: Tracer, environment: Environment, scope: Scope) -> None:
        self.tracer = tracer
        self.environment = environment
        self.scope = scope
        self.elsewhere: set[Secret] = set()

    def core(self, core: Core) -> list[Column]:
        """The result columns."""
        if core.rows:
            rows = [[self.draws(each) for each in row] for row in core.rows]
            return [Column(f"column{at}", NOTHING.union(*each)) for at, each in enumerate(zip(*rows, strict=True), 1)]
        star: list[Column] = []
        if core.sources is not None:
            star = self.joined(core.sources)
            self.conditions(core.sources)
        for name, window in core.windows.items():
            # SQLite lets a window build on those before it, and does not mind a name that comes later.
            self.scope.windows[name] = self.draws(window)
        columns: list[Column] = []
        aliases: dict[str, Secrets] = {}
        for result in core.results:
            found = self.result(result, star)
            columns += found
            if result.alias is not None:
                aliases[result.alias] = aliases.get(result.alias, NOTHING) | found[0].draws
        self.scope.aliases = aliases
        self.filter(core.where)
        self.filter(core.having)
        for group in core.groups:
            refuse("GROUP BY", self.term(group, columns))
        if core.distinct:
            refuse("DISTINCT", union(columns))
        return columns

    def result(self, result: Result, star: list[Column]) -> list[Column]:
        if not result.star:
            return [column_of(result.expression, result.alias, self.draws(result.expression))]
        found = star
        if result.of is not None:
            called = [each for each in self.scope.ranges if each.name == result.of]
            found = [column for each in called for column in each.visible]
        if not found:
            raise Unreadable
        self.tracer.seen |= union(found)
        return found

    def filter(self, expression: Expression | None) -> None:
        if expression is not None:
            self.elsewhere |= self.draws(expression)

    def term(self, term: Expression, columns: list[Column]) -> Secrets:
        """What a term of GROUP BY or ORDER BY draws on, a column's number included."""
        place = term.position
        return self.draws(term) | (columns[place - 1].draws if place and place <= len(columns) else NOTHING)

    def draws(self, expression: Expression) -> Secrets:
        """The secrets that an expression draws on."""
        found: set[Secret] = set()
        for parts in expression.names:
            found |= self.scope.find(parts, quoted=parts[-1] in expression.quoted)
        for window in expression.windows:
            found |= self.scope.windows.get(window, NOTHING)
        for select in expression.selects:
            outcome = self.tracer.select(select, self.environment, self.scope)
            found |= union(outcome.columns) | outcome.elsewhere
        for select in expression.exists:
            found |= self.tracer.select(select, self.environment, self.scope).elsewhere
        for table in expression.tables:
            self.arguments(table)
            outcome = self.table(table, listed=True)[1]
            found |= union(outcome.columns) | outcome.elsewhere
        self.tracer.seen |= found
        return frozenset(found)

    # FROM

    def joined(self, joined: Joined) -> list[Column]:
        """The columns that `*` stands for; the scope learns the names."""
        star: list[Column] = []
        first = len(self.scope.ranges)
        for part in joined.parts:
            middle = len(self.scope.ranges)
            right = self.source(part)
            shared = self.shared(part, self.scope.ranges[first:middle], self.scope.ranges[middle:], star, right)
            merged = {name: union(column for column in (*star, *right) if column.name == name) for name in shared}
            self.elsewhere |= NOTHING.union(*merged.values())
            star = [replace(each, draws=merged.get(each.name, each.draws)) for each in star]
            star += [column for column in right if column.name not in shared]
        return star

    def source(self, part: Part) -> list[Column]:
        source = part.source
        if isinstance(source, Joined):
            star = self.joined(source)
            # The engine makes a subquery of such parentheses, with all columns in it.
            self.tracer.seen |= union(star)
            if source.alias is not None:
                star = numbered(star)
                self.scope.ranges.append(Range(source.alias, star))
            return star
        if isinstance(source, Nested):
            outcome = self.tracer.select(source.select, self.environment, self.scope.outer)
            found = Range(source.alias or "", numbered(outcome.columns))
        else:
            relation, outcome = self.table(source)
            found = Range(source.alias or source.name, outcome.columns, relation)
        self.elsewhere |= outcome.elsewhere
        self.scope.ranges.append(found)
        return found.visible

    def table(self, table: Table, *, listed: bool = False) -> tuple[Relation | None, Outcome]:
        known = self.environment.find(table.name) if table.schema is None else None
        if known is not None:
            return None, self.tracer.cte(known, self.scope.outer)
        relation = self.tracer.catalog.relations.get(table.name) or table_function(self.tracer.connection, table.name)
        if relation is None:
            raise Unreadable
        if relation.kind != "virtual":
            self.tracer.sources[table.start] = Source(table, relation, listed)
        if relation.kind == "view":
            return relation, self.tracer.view(relation)
        columns = [
            Column(name, frozenset({(relation.name, name)} & self.tracer.secrets), name in relation.hidden)
            for name in relation.columns
        ]
        if table.arguments is not None and not relation.name.startswith("pragma_"):
            refuse("the arguments of a table", union(columns))
        if relation.module in VOCABULARIES:
            refuse("a vocabulary", union(columns))
        return relation, Outcome(columns)

    def shared(
        self, part: Part, before: list[Range], behind: list[Range], star: list[Column], right: list[Column]
    ) -> set[str]:
        """The names that NATURAL or USING compares; refused if one is a secret, for the engine would compare it."""
        names = set(part.using)
        if part.natural:
            names = {column.name for column in right} & {column.name for each in before for column in each.columns}
        for each in (*before, *behind):
            if each.relation is not None:
                compared = {(each.relation.name, name) for name in names} & self.tracer.secrets
                refuse("NATURAL or USING", compared)
        return names

    def arguments(self, table: Table) -> None:
        for argument in table.arguments or []:
            refuse("the arguments of a table", self.draws(argument))

    def conditions(self, joined: Joined) -> None:
        """What ON and the arguments of table-valued functions draw on, once every source is known."""
        for part in joined.parts:
            self.filter(part.on)
            if isinstance(part.source, Joined):
                self.conditions(part.source)
            if isinstance(part.source, Table):
                self.arguments(part.source)


def _compound(legs: list[list[Column]], operators: list[str]) -> list[Column]:
    """The columns of a compound: where all rows are kept, what one leg draws on masks that column for all."""
    if len({len(leg) for leg in legs}) != 1:
        raise Unreadable
    if len(legs) == 1:
        return legs[0]
    for operator in set(operators) - {"UNION ALL"}:
        refuse(operator, union(column for leg in legs for column in leg))
    return [replace(columns[0], draws=union(columns)) for columns in zip(*legs, strict=True)]


def refuse(where: str, secrets: Iterable[Secret]) -> None:
    """Refuse if there are any *secrets*, which stand where no result column can be told apart from them."""
    if secrets := list(secrets):
        raise Refused(
            f"The statement uses a secret in {where}, where it cannot be masked by itself: {named(secrets)}.",
            advice="Leave that column out there, or select it as a plain result column.",
        )
