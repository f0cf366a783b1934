"""Pages ranked by words: by their best sections together, and by the whole of them."""

from collections.abc import Container, Mapping, Sequence
from typing import Any, NamedTuple

import apsw

from mcp_daan.knowledge.retrieval.words import neighbours, telling

# A page is worth its best sections, each next one less, and the whole of it: bench/search.py measures it.
SECTION_WEIGHTS = (1, 0.5, 0.25, 0.12)
# Three words that stand together as they were typed; more than this, and questions in other words suffer.
TOGETHER_WEIGHT = 0.2
# How much of a score meaning makes up, where the nearest page has all of it and the hundredth none.
MEANING_SHARE = 0.3
# Nearness that differs by less is not spread over the whole share: in a small base all pages are about as near.
LEAST_SPREAD = 0.2
RANK_CONSTANT = 60  # of reciprocal rank fusion
_PARTS = """
SELECT places.page, places.id, places.bare, bm25(parts, 2.0, 3.0, 1.0, 1.0)
FROM parts JOIN places ON places.id = parts.rowid WHERE parts MATCH ?"""  # title, heading path, body, name
_WHOLE = "SELECT rowid, bm25(whole) FROM whole WHERE whole MATCH ?"
# A part of a page that was found: its score, less being better as SQLite has it, whether it is a bare heading, its id.
_Scored = tuple[float, int, int]


class Hit(NamedTuple):
    """A page that was found, and its best part; `start` is where in the part's text it begins to tell."""

    page: int
    part: int
    score: float
    start: int = 0


class Near(NamedTuple):
    """A page that is near in meaning: how near, and by which part of it, from where in the part's text."""

    page: int
    nearness: float
    part: int
    start: int


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
    # Words that many pages hold give thousands of rows, so each step counts a thousandfold.
    parts: dict[int, list[_Scored]] = {}
    for page, part, bare, score in connection.execute(_PARTS, (query,)):
        if page in allowed and (about is None or part in about):
            parts.setdefault(page, []).append((score + bonus.get(part, 0.0), bare, part))
    # Words of a file's whole text count even when no single part holds them.
    whole: dict[int, float] = dict(connection.execute(_WHOLE, (query,)))
    for page, score in _asked(connection, _WHOLE, together):
        whole[page] = whole.get(page, 0.0) + TOGETHER_WEIGHT * score
    hits = [_hit(page, scored, whole.get(page, 0.0)) for page, scored in parts.items()]
    return sorted(hits, key=lambda hit: (-hit.score, allowed[hit.page]))


def _hit(page: int, scored: list[_Scored], worth: float) -> Hit:
    """*page* with the best of its parts; *worth* is what the whole of it scores."""
    scored.sort()
    for weight, (score, _, _) in zip(SECTION_WEIGHTS, scored, strict=False):
        worth += weight * score
    best = scored[0]
    if best[1]:
        # A heading without text of its own says little; it is shown where nothing else was found.
        best = min(scored[: len(SECTION_WEIGHTS)], key=lambda each: (each[1], each))
    return Hit(page, best[2], -worth)


def with_meaning(connection: apsw.Connection, hits: list[Hit], nearest: Sequence[Near], enough: float) -> list[Hit]:
    """*hits* by words and pages *nearest* in meaning as one ranking; without any of the words it has to be near *enough*."""
    if not nearest:
        return hits
    # Scores, not ranks: a name that is typed exactly must not lose to a page that is merely about the same.
    most, edge = (hits[0].score if hits else 0.0) or 1.0, nearest[-1].nearness
    spread = max(nearest[0].nearness - edge, LEAST_SPREAD)
    shares = {near.page: MEANING_SHARE * (near.nearness - edge) / spread for near in nearest}
    mixed = {hit.page: hit._replace(score=(1 - MEANING_SHARE) * hit.score / most) for hit in hits}
    for near in nearest:
        words, share = mixed.get(near.page), shares[near.page]
        part = _place(connection, near) if words is None or share > words.score else None
        if words is not None:
            shown = words if part is None else words._replace(part=part, start=near.start)
            mixed[near.page] = shown._replace(score=words.score + share)
        elif part is not None and near.nearness >= enough:
            mixed[near.page] = Hit(near.page, part, share, near.start)
    return sorted(mixed.values(), key=lambda hit: (-hit.score, hit.page))


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
            found[hit.page] = shown._replace(score=score + (before.score if before else 0.0))
    return sorted(found.values(), key=lambda hit: (-hit.score, best_rank[hit.page], hit.page))


def _place(connection: apsw.Connection, near: Near) -> int | None:
    found: int | None = connection.execute(
        "SELECT id FROM places WHERE page = ? ORDER BY id LIMIT 1 OFFSET ?", (near.page, near.part)
    ).get
    return found


def _asked(connection: apsw.Connection, statement: str, query: str) -> list[Any]:
    return connection.execute(statement, (query,)).fetchall() if query else []
