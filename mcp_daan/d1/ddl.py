"""Parts of CREATE statements that SQLite's pragmas do not tell."""

from collections.abc import Iterator, Set
from typing import NamedTuple

from mcp_daan.d1.masking.words import Token, tokens
from mcp_daan.d1.values import MASK

# What a default may say of a secret column without telling a secret.
EMPTY_DEFAULTS = {"''", '""', "NULL", "0", "CURRENT_TIMESTAMP", "CURRENT_DATE", "CURRENT_TIME"}
# What is shorter, beside a secret, is a length, a flag or a sign between two parts.
SHORTEST_SECRET = 4


class IndexText(NamedTuple):
    """The text of each indexed column or expression, and of the WHERE of a partial index."""

    columns: tuple[str, ...]
    where: str | None


def index_text(sql: str) -> IndexText:
    """What `CREATE INDEX … ON table (…) WHERE …` says between its parentheses and behind them."""
    words = tokens(sql)
    entries = list(_entries(words))
    where = next((token for token, depth in _depths(words) if depth == 0 and token.word == "WHERE"), None)
    return IndexText(
        tuple(sql[entry[0].start : entry[-1].end] for entry in entries),
        sql[where.end :].strip() if where is not None else None,
    )


def without_literals(sql: str, secrets: Set[str]) -> str:
    """*sql* without the literals that stand beside a name of *secrets*: in the same column or constraint of a
    table, anywhere in another statement."""
    for token in sorted(_literals(sql, secrets), key=lambda token: -token.start):
        sql = f"{sql[: token.start]}'{MASK}'{sql[token.end :]}"
    return sql


def tells(sql: str, secrets: Set[str]) -> bool:
    """Whether one of the literals that `without_literals` hides may be a secret itself, and not a length or a blank."""
    if "VIRTUAL" in {token.word for token in tokens(sql)[:3]}:
        return False
    told = [sql[token.start : token.end] for token in _literals(sql, secrets)]
    return any(len(text.strip("xX'\"")) >= SHORTEST_SECRET for text in told)


def _literals(sql: str, secrets: Set[str]) -> list[Token]:
    words = tokens(sql)
    parts = list(_entries(words)) if _creates_table(words) else [words]
    return [
        token
        for part in parts
        if any(token.name in secrets for token in part)
        for token in part
        if token.kind in ("string", "blob", "number") and token.name not in secrets
    ]


def _creates_table(words: list[Token]) -> bool:
    kinds = {token.word for token in words[:3]}
    return "TABLE" in kinds and "VIRTUAL" not in kinds


def _entries(words: list[Token]) -> Iterator[list[Token]]:
    """What stands between the first outermost parentheses, cut at its commas."""
    entry: list[Token] = []
    opened = False
    for token, depth in _depths(words):
        if depth == 0 and opened and token.word == ")":
            break
        if depth == 1 and token.word == ",":
            yield entry
            entry = []
        elif opened:
            entry.append(token)
        opened = opened or token.word == "("
    if entry:
        yield entry


def _depths(words: list[Token]) -> Iterator[tuple[Token, int]]:
    """Each token with how many parentheses are open at it; a closing one counts as outside."""
    depth = 0
    for token in words:
        depth -= token.word == ")"
        yield token, depth
        depth += token.word == "("
