"""Expressions in a statement that an index could hold: lower(email) = ?, data ->> '$.kind' = ?."""

from collections.abc import Iterator, Sequence
from itertools import pairwise

from mcp_daan.d1.masking.catalog import Relation
from mcp_daan.d1.masking.words import Token, tokens

# Those that always give the same for the same; date() and its kin do not, since 'now' is one of their words.
_STEADY = frozenset("abs coalesce ifnull json_extract length lower ltrim round rtrim substr trim upper".split())
_COMPARES = frozenset("= == IN < > <= >= BETWEEN IS".split())


def indexable(sql: str, relations: Sequence[Relation]) -> list[tuple[str, str]]:
    """(table, expression) for each expression of one column of *relations* that *sql* compares with something."""
    found: dict[tuple[str, str], None] = {}
    words = tokens(sql)
    for start, end in (*_calls(words), *_paths(words)):
        compared = words[end].word in _COMPARES or (start and words[start - 1].word in ("=", "=="))
        names = _columns(words[start:end], words[end]) if compared else None
        if names is None or len({name for name, _ in names}) != 1:
            continue
        text = _unqualified(sql, words[start:end], [cut for _, cut in names])
        owners = [relation for relation in relations if names[0][0] in relation.columns]
        if len(owners) == 1:
            found[owners[0].name, text] = None
    return list(found)


def _calls(words: Sequence[Token]) -> Iterator[tuple[int, int]]:
    """Where calls of steady functions begin and end."""
    for start, (token, after) in enumerate(pairwise(words)):
        if token.name in _STEADY and token.kind == "word" and after.word == "(":
            depth = 0
            for end in range(start + 1, len(words)):
                depth += {"(": 1, ")": -1}.get(words[end].word, 0)
                if not depth:
                    yield start, end + 1
                    break


def _paths(words: Sequence[Token]) -> Iterator[tuple[int, int]]:
    """Where a column's JSON path begins and ends."""
    for at, token in enumerate(words[:-1]):
        if token.word in ("->", "->>") and at and words[at - 1].names and words[at + 1].kind == "string":
            qualified = at > 2 and words[at - 2].word == "."
            yield at - (3 if qualified else 1), at + 2


def _columns(part: Sequence[Token], after: Token) -> list[tuple[str, tuple[int, int] | None]] | None:
    """The columns in *part* and where each is qualified; None if there is more than columns, steady calls, literals."""
    found: list[tuple[str, tuple[int, int] | None]] = []
    ends = [*part[1:], after]
    for at, (token, following) in enumerate(zip(part, ends, strict=True)):
        if token.kind in ("number", "string", "blob") or token.word in ("(", ")", ",", ".", "->", "->>"):
            continue
        if token.kind not in ("word", "quoted") or not token.names:
            return None
        if following.word == "(":
            if token.name not in _STEADY:
                return None
        elif following.word != ".":
            dotted = at > 1 and part[at - 1].word == "."
            found.append((token.name, (part[at - 2].start, token.start) if dotted else None))
    return found


def _unqualified(sql: str, part: Sequence[Token], cuts: Sequence[tuple[int, int] | None]) -> str:
    """The text of *part* without the names of tables before its columns."""
    start, end = part[0].start, part[-1].end
    for cut in sorted((cut for cut in cuts if cut), reverse=True):
        sql, end = sql[: cut[0]] + sql[cut[1] :], end - (cut[1] - cut[0])
    return sql[start:end]
