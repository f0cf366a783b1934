"""Pages ranked by words: by their best sections together, and by the whole of them."""

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import apsw

from mcp_daan.knowledge.retrieval.words import neighbours, telling

# A page is worth its best sections, each next one less, and the whole of it: bench/search.py measures it.
SECTION_WEIGHTS = (1, 0.5, 0.25, 0.12)
# Three words that stand together as they were typed; more than this, and questions in other words suffer.
TOGETHER_WEIGHT = 0.2
RANK_CONSTANT = 60  # of reciprocal rank fusion
_PARTS = """
SELECT places.page, places.id, places.bare, -bm25(parts, 2.0, 3.0, 1.0, 1.0)
FROM parts JOIN places ON places.id = parts.rowid WHERE parts MATCH ?"""  # title, heading path, body, name
_WHOLE = "SELECT rowid, -bm25(whole) FROM whole WHERE whole MATCH ?"


@dataclass(frozen=True)
class Hit:
    """A page that was found, and its best part; `start` is where in the part's text, if that is known."""

    page: int
    part: int
    score: float
    start: int | None = None


def by_words(
    connection: apsw.Connection, phrase: str, allowed: Mapping[int, str], about: Container[int] | None
) -> list[Hit]:
    """The pages in *allowed*, by number with their names, that hold words of *phrase*, best first; of *about*, if given, only those parts count."""
    # Words are quoted and joined by OR: what the caller typed is never read as query syntax.
    query = " OR ".join(f'"{word}"' for word in telling(phrase))
    if not query:
        return []
    together = " OR ".join(f'"{" ".join(words)}"' for words in neighbours(phrase))
    bonus = {part: TOGETHER_WEIGHT * score for _, part, _, score in _asked(connection, _PARTS, together)}
    parts: dict[int, list[tuple[float, int, int]]] = {}
    for page, part, bare, score in connection.execute(_PARTS, (query,)):
        if page in allowed and (about is None or part in about):
            parts.setdefault(page, []).append((-score - bonus.get(part, 0.0), bare, part))
    # Words of a file's whole text count even when no single part holds them.
    whole: dict[int, float] = dict(connection.execute(_WHOLE, (query,)))
    for page, score in _asked(connection, _WHOLE, together):
        whole[page] = whole.get(page, 0.0) + TOGETHER_WEIGHT * score
    hits = []
    for page, scored in parts.items():
        best = sorted(scored)[: len(SECTION_WEIGHTS)]
        sections = sum(weight * -score for weight, (score, *_) in zip(SECTION_WEIGHTS, best, strict=False))
        # A heading without text of its own says little; it is shown where nothing else was found.
        _, _, shown = min(best, key=lambda each: (each[1], each))
        hits.append(Hit(page, shown, sections + whole.get(page, 0.0)))
    return sorted(hits, key=lambda hit: (-hit.score, allowed[hit.page]))


def fused(rankings: Sequence[list[Hit]]) -> list[Hit]:
    """The hits of several phrasings as one ranking, by reciprocal ranks; a single ranking stays as it is."""
    if len(rankings) == 1:
        return rankings[0]
    found: dict[int, Hit] = {}
    best_rank: dict[int, int] = {}
    for ranking in rankings:
        for rank, hit in enumerate(ranking, 1):
            score = 1 / (RANK_CONSTANT + rank)
            before = found.get(hit.page)
            # The section shown is that of the phrasing which found the page best.
            shown = before if before is not None and best_rank[hit.page] <= rank else hit
            best_rank[hit.page] = min(rank, best_rank.get(hit.page, rank))
            found[hit.page] = replace(shown, score=score + (before.score if before else 0.0))
    return sorted(found.values(), key=lambda hit: (-hit.score, best_rank[hit.page], hit.page))


def _asked(connection: apsw.Connection, statement: str, query: str) -> list[Any]:
    return connection.execute(statement, (query,)).fetchall() if query else []
