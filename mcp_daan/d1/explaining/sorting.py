"""How many rows pass through the sorters of a statement: D1 bills each of them once more."""

from collections.abc import Callable, Iterable, Sequence

from mcp_daan.d1.explaining.plan import Step
from mcp_daan.d1.masking.words import Token, tokens

GROUPING, ORDERING = "USE TEMP B-TREE FOR GROUP BY", "ORDER BY"
_CLAUSES = frozenset("GROUP HAVING WINDOW ORDER LIMIT".split())
_COMPOUND = frozenset("UNION EXCEPT INTERSECT VALUES".split())


def rows_sorted(count: Callable[[str], int], sql: str, steps: Sequence[Step], known: dict[str, int]) -> int:
    """The rows that the outermost SELECT of *sql* sorts, by running a count of them once; *known* remembers it.

    Sorters within subqueries and compounds are not counted.
    """
    outermost = [step.detail for step in steps if step.parent == 0 and step.detail.startswith("USE TEMP B-TREE FOR ")]
    grouping = GROUPING in outermost
    ordering = any(detail.endswith(ORDERING) for detail in outermost)
    if not (grouping or ordering):
        return 0
    parts = _Outermost(sql)
    if parts.compound or parts.source is None:
        return 0
    total = 0
    if grouping or not parts.groups:
        total += _known(known, "joined", count, parts.joined)
    if ordering and parts.groups:
        total += _known(known, "grouped", count, parts.grouped)
    return total


def _known(known: dict[str, int], key: str, count: Callable[[str], int], sql: Callable[[], str]) -> int:
    if key not in known:
        known[key] = count(sql())
    return known[key]


class _Outermost:
    """Where the clauses of the outermost SELECT begin."""

    def __init__(self, sql: str) -> None:
        # Each parameter by its number, so that a part of the statement takes the same values.
        self._sql = numbered(sql)
        words = list(_outside(tokens(self._sql)))
        self.compound = any(token.word in _COMPOUND for token in words)
        self._select = next((token.start for token in words if token.word == "SELECT"), 0)
        self.source = next((token.start for token in words if token.word == "FROM"), None)
        behind = [token for token in words if token.start > (self.source or 0)]
        self._end = next(
            (token.start for token in behind if token.word in _CLAUSES or token.word == ";"), len(self._sql)
        )
        self._rest = next((token.start for token in behind if token.word in ("ORDER", "LIMIT", ";")), len(self._sql))
        self.groups = any(token.word in ("GROUP", "DISTINCT") for token in words)

    def joined(self) -> str:
        """The rows before they are grouped."""
        return f"{self._sql[: self._select]}SELECT count(*) {self._sql[self.source : self._end]}"

    def grouped(self) -> str:
        """The rows of the statement without its order and limit."""
        return f"SELECT count(*) FROM ({self._sql[: self._rest]}\n)"


def numbered(sql: str) -> str:
    """*sql* with each parameter written as its number."""
    numbers: dict[str, int] = {}
    highest = 0
    found: list[tuple[Token, int]] = []
    for token in tokens(sql):
        if token.kind != "parameter":
            continue
        text = sql[token.start : token.end]
        if text[0] == "?" and len(text) > 1:
            number = int(text[1:])
        else:
            number = highest + 1 if text == "?" else numbers.setdefault(text, highest + 1)
        highest = max(highest, number)
        found.append((token, number))
    for token, number in reversed(found):
        sql = f"{sql[: token.start]}?{number}{sql[token.end :]}"
    return sql


def highest_parameter(sql: str) -> int:
    """How many values a statement whose parameters are numbered takes."""
    return max((int(sql[token.start + 1 : token.end]) for token in tokens(sql) if token.kind == "parameter"), default=0)


def _outside(words: Iterable[Token]) -> Iterable[Token]:
    """The tokens outside of all parentheses; the FROM of IS DISTINCT FROM is none of a clause."""
    depth, before = 0, ""
    for token in words:
        depth -= token.word == ")"
        distinct = token.word == "DISTINCT" and before in ("IS", "NOT")
        if depth == 0 and not distinct and not (token.word == "FROM" and before == "DISTINCT"):
            yield token
        depth += token.word == "("
        before = token.word
