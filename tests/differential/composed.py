"""SELECTs that chance composes over the schema: the same ones each time."""

from collections.abc import Iterator
from random import Random

from .statement import Statement

SEED = 20261122
TABLES = {
    "people": {"number": ("id", "height", "points", "boss"), "text": ("name", "city", "born"), "any": ("photo", "notes")},
    "orders": {"number": ("id", "person_id", "amount", "doubled"), "text": ("status", "placed", "label"), "any": ("lines",)},
    "tags": {"number": ("person_id", "weight"), "text": ("tag",), "any": ()},
    "renamed": {"number": ("number",), "text": ("who",), "any": ()},
    "vals": {"number": ("id",), "text": (), "any": ("v",)},
    "edges": {"number": ("a", "b"), "text": (), "any": ()},
}  # fmt: skip
TEXTS = ("'Gent'", "'open'", "''", "'a%'", "'2026-02-01'", "'ü'", "NULL", "'1'")
NUMBERS = ("0", "1", "2", "-1", "1.5", "100", "NULL", "9007199254740993", "1e3")


class Composer:
    """Composes one SELECT after another."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.names: dict[str, list[str]] = {}

    def select(self) -> str:
        """A whole statement, its rows in an order that both engines must give."""
        if self.random.random() < 0.15:
            first, second = self._core(2, False), self._core(2, False)
            return f"{first} {self._any('UNION', 'UNION ALL', 'INTERSECT', 'EXCEPT')} {second} ORDER BY 1, 2{self._limit()}"
        width = self.random.randint(1, 4)
        core = self._core(width, self.random.random() < 0.3)
        statement = f"{core} ORDER BY {', '.join(str(n + 1) for n in range(width))}{self._limit()}"
        return f"WITH q AS ({statement}) SELECT * FROM q" if self.random.random() < 0.1 else statement

    def _core(self, width: int, grouped: bool) -> str:
        source = self._source()
        if grouped:
            key = self._column()
            results = [f"{key} AS k", *(self._aggregate() for _ in range(width - 1))]
            having = f" HAVING {self._aggregate()} IS NOT NULL" if self.random.random() < 0.3 else ""
            return f"SELECT {', '.join(results)} FROM {source}{self._where()} GROUP BY {key}{having}"
        results = [self._value(2) for _ in range(width)]
        distinct = "DISTINCT " if self.random.random() < 0.2 else ""
        return f"SELECT {distinct}{', '.join(results)} FROM {source}{self._where()}"

    def _source(self) -> str:
        first = self._any(*TABLES)
        self.names = {kind: [f"x.{name}" for name in names] for kind, names in TABLES[first].items()}
        if self.random.random() < 0.6:
            return f"{first} AS x"
        second = self._any(*TABLES)
        for kind, names in TABLES[second].items():
            self.names[kind] += [f"y.{name}" for name in names]
        left, right = f"x.{TABLES[first]['number'][0]}", f"y.{self._any(*TABLES[second]['number'])}"
        return f"{first} AS x {self._any('JOIN', 'LEFT JOIN', 'INNER JOIN')} {second} AS y ON {left} = {right}"

    def _where(self) -> str:
        return f" WHERE {self._condition(2)}" if self.random.random() < 0.6 else ""

    def _limit(self) -> str:
        return self._any("", "", f" LIMIT {self.random.randint(0, 7)}", " LIMIT 3 OFFSET 1")

    def _condition(self, depth: int) -> str:
        if depth and self.random.random() < 0.4:
            return f"({self._condition(depth - 1)} {self._any('AND', 'OR')} {self._condition(depth - 1)})"
        choice = self.random.randrange(7)
        if choice == 0:
            return f"{self._column()} IS {self._any('', 'NOT ')}NULL"
        if choice == 1:
            return f"{self._column()} {self._any('', 'NOT ')}IN ({self._literal()}, {self._literal()}, 1)"
        if choice == 2:
            return f"{self._column()} BETWEEN {self._literal()} AND {self._literal()}"
        if choice == 3:
            return f"{self._column()} {self._any('LIKE', 'GLOB', 'NOT LIKE')} {self._any(*TEXTS)}"
        if choice == 4:
            return f"EXISTS (SELECT 1 FROM edges WHERE a = {self._column()})"
        if choice == 5:
            return f"{self._column()} IN (SELECT {self._any('a', 'b')} FROM edges)"
        return f"{self._value(1)} {self._any('=', '<', '>=', '<>', 'IS', 'IS NOT')} {self._literal()}"

    def _value(self, depth: int) -> str:
        if not depth or self.random.random() < 0.35:
            return self._any(self._column(), self._column(), self._literal())
        inner, other = self._value(depth - 1), self._value(depth - 1)
        return self._any(
            f"{inner} + {other}", f"{inner} * {other}", f"{inner} || {other}", f"({inner} / {other})", f"-{inner}",
            f"{inner} % {other}", f"{inner} & {other}", f"length({inner})", f"upper({inner})", f"hex({inner})",
            f"typeof({inner})", f"abs({self._any(*NUMBERS)})", f"coalesce({inner}, {other})", f"quote({inner})",
            f"substr({inner}, 1, 2)", f"CAST({inner} AS {self._any('TEXT', 'INTEGER', 'REAL', 'NUMERIC')})",
            f"CASE WHEN {self._condition(0)} THEN {inner} ELSE {other} END", f"iif({self._condition(0)}, {inner}, {other})",
            f"round({inner}, 1)", f"({inner}) COLLATE NOCASE", f"max({inner}, {other})", f"json_array({self._any(*NUMBERS)}, typeof({inner}))",
            f"(SELECT count(*) FROM edges WHERE a > {self._column()})", f"instr({inner}, {other})", f"date({inner})",
        )  # fmt: skip

    def _aggregate(self) -> str:
        column = self._column()
        return self._any(
            "count(*)", f"count({column})", f"count(DISTINCT {column})", f"max({column})", f"min({column})",
            f"total({column})", f"group_concat({column}, '|' ORDER BY {column})", f"json_group_array(typeof({column}))",
            f"count(*) FILTER (WHERE {self._condition(0)})",
        )  # fmt: skip

    def _column(self) -> str:
        return self._any(*(name for names in self.names.values() for name in names))

    def _literal(self) -> str:
        return self._any(*NUMBERS, *TEXTS)

    def _any(self, *choices: str) -> str:
        return self.random.choice(choices)


def composed(count: int) -> Iterator[Statement]:
    """*count* different statements."""
    composer = Composer(SEED)
    seen: set[str] = set()
    while len(seen) < count:
        sql = composer.select()
        if sql not in seen:
            seen.add(sql)
            yield Statement("composed", sql)
