"""Which indexes might help a statement: what the engine's planner asks of tables that cannot be read."""

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from typing import Any

import apsw

from mcp_daan.d1.explaining.expressions import indexable
from mcp_daan.d1.masking.catalog import Catalog, Relation, Secrets, quoted, unguarded
from mcp_daan.d1.masking.probe import nothing_bound
from mcp_daan.d1.masking.words import RESERVED

MOST = 16
# Wider ones cost more at each write than they save.
MOST_COLUMNS = 5
_EQUAL = frozenset(
    (apsw.SQLITE_INDEX_CONSTRAINT_EQ, apsw.SQLITE_INDEX_CONSTRAINT_IS, apsw.SQLITE_INDEX_CONSTRAINT_ISNULL)
)
_RANGE = frozenset(
    (
        apsw.SQLITE_INDEX_CONSTRAINT_GT,
        apsw.SQLITE_INDEX_CONSTRAINT_GE,
        apsw.SQLITE_INDEX_CONSTRAINT_LT,
        apsw.SQLITE_INDEX_CONSTRAINT_LE,
    )
)


@dataclass(frozen=True)
class Term:
    """A column of an index, or an expression as it is written; *collation* where it is not the column's own."""

    text: str
    expression: bool = False
    collation: str = ""
    descending: bool = False

    @property
    def sql(self) -> str:
        """The term as CREATE INDEX takes it."""
        text = self.text if self.expression else plain(self.text)
        return text + (f" COLLATE {self.collation}" if self.collation else "") + (" DESC" if self.descending else "")


@dataclass(frozen=True)
class Candidate:
    """An index that might help."""

    name: str
    table: str
    terms: tuple[Term, ...]

    @property
    def sql(self) -> str:
        """The statement that makes it."""
        return f"CREATE INDEX {plain(self.name)} ON {plain(self.table)}({', '.join(term.sql for term in self.terms)})"


@dataclass(frozen=True)
class Wanted:
    """What the planner asks of one table at one place of a join."""

    table: str
    equal: tuple[Term, ...]
    ranges: tuple[Term, ...]
    order: tuple[Term, ...]
    used: tuple[Term, ...]

    def choices(self) -> Iterator[tuple[Term, ...]]:
        """The columns of indexes that would serve, the narrow before the covering."""
        narrow = [(*self.equal, each) for each in self.ranges]
        if self.order:
            narrow.append((*self.equal, *(each for each in self.order if each.text not in texts(self.equal))))
        narrow.append(self.equal)
        yield from narrow
        for terms in narrow:
            yield (*terms, *(each for each in self.used if each.text not in texts(terms)))


def texts(terms: Iterable[Term]) -> set[str]:
    """What the terms are of."""
    return {term.text for term in terms}


def candidates(
    connection: apsw.Connection, sql: str, tables: Iterable[str], catalog: Catalog, secrets: Secrets
) -> list[Candidate]:
    """The indexes that might serve *sql*, which reads *tables*; none that exists, begins one, or holds a secret."""
    relations = [each for name in sorted(tables) if (each := catalog.relations.get(name)) and each.kind == "table"]
    relations = [each for each in relations if not each.name.startswith("sqlite_")]
    planner = _Planner(connection, relations, catalog)
    found: list[Candidate] = []
    wanted = [(each.table, terms) for each in planner.wanted(sql) for terms in each.choices()]
    wanted += [(name, (Term(text, expression=True),)) for name, text in indexable(sql, relations)]
    existing = {relation.name: _existing(connection, relation) for relation in relations}
    taken = {index.name for index in catalog.indexes} | set(catalog.relations)
    declared = _declared(connection)
    for table, terms in wanted:
        relation = catalog.relations[table]
        if not _sensible(relation, terms, secrets) or any(_begins(terms, other) for other in existing[table]):
            continue
        if not any((each.table, each.terms) == (declared[table], terms) for each in found):
            found.append(Candidate(_name(declared[table], terms, taken), declared[table], terms))
            taken.add(found[-1].name.lower())
    return found[:MOST]


def _sensible(relation: Relation, terms: Sequence[Term], secrets: Secrets) -> bool:
    if not 1 <= len(terms) <= MOST_COLUMNS or terms[0].text.lower() == relation.key:
        return False
    names = {term.text.lower() for term in terms if not term.expression}
    # An expression holds one column, and words that are none: any that might be a secret is one too many.
    names |= {word.lower() for term in terms if term.expression for word in re.findall(r"\w+", term.text)}
    return not any((relation.name, name) in secrets for name in names)


def _begins(terms: Sequence[Term], other: Sequence[tuple[str, str, bool]]) -> bool:
    """Whether an index on *terms* would do nothing that the *other* one does not."""
    told = [(term.text.lower(), term.collation.upper(), term.descending) for term in terms]
    turned = [(text, collation, not descending) for text, collation, descending in told]
    return list(other[: len(terms)]) in (told, turned)


def _existing(connection: apsw.Connection, relation: Relation) -> list[list[tuple[str, str, bool]]]:
    """The columns of each index over the whole table, with their collation where it is not the column's own."""
    found = []
    with unguarded(connection) as cursor:
        names = cursor.execute(
            "SELECT name FROM pragma_index_list(?, 'main') WHERE NOT partial", (relation.name,)
        ).fetchall()
        for (name,) in names:
            rows = cursor.execute("SELECT name, coll, \"desc\" FROM pragma_index_xinfo(?, 'main') WHERE key", (name,))
            found.append(
                [
                    (str(column).lower(), _unlike(str(coll), _collation(connection, relation, str(column))), bool(desc))
                    for column, coll, desc in rows.fetchall()
                ]
            )
    return found


def _declared(connection: apsw.Connection) -> dict[str, str]:
    with unguarded(connection) as cursor:
        rows = cursor.execute("SELECT name FROM main.sqlite_schema WHERE type = 'table'").fetchall()
    return {str(name).lower(): str(name) for (name,) in rows}


def _collation(connection: apsw.Connection, relation: Relation, column: str) -> str:
    with suppress(apsw.SQLError):
        return connection.column_metadata("main", relation.name, column)[1]
    return "BINARY"  # an expression


def _unlike(collation: str, own: str) -> str:
    return "" if collation.upper() == own.upper() else collation.upper()


def _name(table: str, terms: Sequence[Term], taken: Iterable[str]) -> str:
    words = re.findall(r"\w+", " ".join([table, *(term.text for term in terms)]))
    name = "idx_" + "_".join(words)[:56]
    number = 2
    while name.lower() in taken:
        name, number = f"{name.rstrip('0123456789')}{number}", number + 1
    return name


def plain(name: str) -> str:
    """*name* as it stands, or quoted where SQL needs it."""
    return name if re.fullmatch(r"[A-Za-z_]\w*", name) and name.upper() not in RESERVED else quoted(name)


class _Planner:
    """The statement's tables without rows, each of which hears what the planner would like of it."""

    def __init__(self, connection: apsw.Connection, relations: Sequence[Relation], catalog: Catalog) -> None:
        self._connection = connection
        self._relations = {each.name: each for each in relations}
        self._others = [each for each in catalog.relations.values() if each.kind != "table"]
        self.heard: list[Wanted] = []

    def wanted(self, sql: str) -> list[Wanted]:
        """What the planner asks for, each once; nothing where the statement needs more than the tables' columns."""
        with closing(apsw.Connection(":memory:")) as empty:
            empty.create_module("daan_planned", self, use_bestindex_object=True)
            planned = [f"CREATE VIRTUAL TABLE {quoted(name)} USING daan_planned" for name in self._relations]
            for declared in (*planned, *(each.sql for each in self._others)):
                with suppress(apsw.Error):  # what the statement does not read need not be there
                    empty.execute(declared)
            cursor = empty.cursor()
            cursor.exec_trace = lambda *_: True
            with suppress(apsw.Error):
                cursor.execute(sql, nothing_bound(sql), explain=2).fetchall()
        return list(dict.fromkeys(self.heard))

    def Create(
        self, connection: apsw.Connection, modulename: str, databasename: str, tablename: str, *args: object
    ) -> tuple[str, Any]:
        """A table with the columns of the real one."""
        relation = self._relations[tablename.lower()]
        columns = [
            f"{quoted(name)} {(kind or '').upper().removesuffix('GENERATED ALWAYS')} COLLATE {collation}"
            for name in relation.declared
            for kind, collation, *_ in [self._connection.column_metadata("main", relation.name, name)]
        ]
        return f"CREATE TABLE planned ({', '.join(columns)})", _Table(self, relation)

    Connect = Create

    def ShadowName(self, table_suffix: str) -> bool:
        """No other table belongs to it."""
        return False

    def collation(self, relation: Relation, column: int) -> str:
        """The column's own collation."""
        return _collation(self._connection, relation, relation.declared[column])


class _Table:
    def __init__(self, planner: _Planner, relation: Relation) -> None:
        self._planner = planner
        self._relation = relation

    def BestIndexObject(self, asked: apsw.IndexInfo) -> bool:
        """Remember what is asked for, and promise to use it."""
        equal, ranges = dict[str, Term](), dict[str, Term]()
        promised = 0
        for at in range(asked.nConstraint):
            column, operator = asked.get_aConstraint_iColumn(at), asked.get_aConstraint_op(at)
            if column < 0 or not asked.get_aConstraint_usable(at):
                continue
            own = self._planner.collation(self._relation, column)
            term = Term(self._relation.declared[column], collation=_unlike(asked.get_aConstraint_collation(at), own))
            if operator in _EQUAL:
                equal[term.text] = term
            elif operator in _RANGE:
                ranges.setdefault(term.text + term.collation, term)
            else:
                continue
            # Only what is promised makes the planner ask again without it, for another order of a join.
            promised += 1
            asked.set_aConstraintUsage_argvIndex(at, promised)
        columns = [(asked.get_aOrderBy_iColumn(at), asked.get_aOrderBy_desc(at)) for at in range(asked.nOrderBy)]
        order = [Term(self._relation.declared[at], descending=desc) for at, desc in columns if at >= 0]
        if order and (order[-1].text.lower(), order[-1].descending) == (self._relation.key, False):
            order.pop()  # every index ends with the rowid
        used = [Term(name) for at, name in enumerate(self._relation.declared) if at in asked.colUsed]
        if self._relation.key is None or self._relation.key not in {name.lower() for name in equal}:
            self._planner.heard.append(
                Wanted(
                    self._relation.name,
                    tuple(equal.values()),
                    tuple(each for each in ranges.values() if each.text not in equal),
                    _turned(order),
                    tuple(each for each in used if each.text.lower() != self._relation.key),
                )
            )
        asked.estimatedCost = 1e6 / 10**promised
        return True

    def Disconnect(self) -> None:
        """Nothing is open."""

    Destroy = Disconnect


def _turned(order: Sequence[Term]) -> tuple[Term, ...]:
    """The order as an index has it: it is read backwards as well as forwards."""
    if order and all(term.descending for term in order):
        return tuple(Term(term.text) for term in order)
    return tuple(order)
