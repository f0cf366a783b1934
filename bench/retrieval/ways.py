"""Ways of searching: this server's, plain FTS5's, and the forms in which other servers ask FTS5.

Those forms are written anew from what is known of them: which words, joined how, weighed how.
"""

import re
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import apsw

from bench.retrieval.questions import Corpus
from bench.retrieval.scoring import Find
from mcp_daan.knowledge.base import KnowledgeBase
from mcp_daan.knowledge.retrieval.meaning import Meaning
from mcp_daan.knowledge.retrieval.search import Question, search, sources_for
from mcp_daan.knowledge.retrieval.words import telling
from mcp_daan.workspace import Workspace

# Deeper than what is scored, since some pages are set aside.
DEEP = 60


def base_of(corpus: Path) -> KnowledgeBase:
    """The pages as a knowledge base."""
    return KnowledgeBase(corpus, ".", "workspace", Workspace(corpus))


def this_server(corpus: Path, meaning: Meaning | None = None) -> Find:
    """The server's own search."""
    base = base_of(corpus)

    def find(query: str) -> list[str]:
        question = Question((query,), scope="all")
        sources = sources_for(base, question.kinds)
        found = search(base, question, sources, now=datetime.now(UTC), limit=DEEP, meaning=meaning)
        return [result.path for result in found.results]

    return find


def read_for_meaning(corpus: Path) -> tuple[float, int]:
    """How long it took to read every page for its meaning, and how many there are; in this process."""
    from mcp_daan.knowledge.retrieval.embedding import embed_missing

    begin = time.perf_counter()
    count = embed_missing(base_of(corpus))
    return time.perf_counter() - begin, count


def others(pages: Corpus) -> dict[str, Find]:
    """Plain FTS5 and three servers' forms, over whole pages."""
    connection = apsw.Connection(":memory:")
    columns = "name, title, headings, body"
    connection.execute(f"CREATE VIRTUAL TABLE plain USING fts5({columns})")
    connection.execute(f"CREATE VIRTUAL TABLE stemmed USING fts5({columns}, tokenize = 'porter unicode61')")
    connection.execute(
        f"CREATE VIRTUAL TABLE slashed USING fts5({columns}, tokenize = \"porter unicode61 tokenchars '/'\")"
    )
    with connection:
        for name, page in pages.items():
            headings = "\n".join(part.address for part in page.parts)
            row = (name, page.title, headings, "\n".join(part.body for part in page.parts))
            for table in ("plain", "stemmed", "slashed"):
                connection.execute(f"INSERT INTO {table} VALUES (?, ?, ?, ?)", row)

    def ask(table: str, query: str, weights: Sequence[float] = (0, 1, 1, 1)) -> list[str]:
        order = f"bm25({table}, {', '.join(map(str, weights))})"
        try:
            rows = connection.execute(
                f"SELECT name FROM {table} WHERE {table} MATCH ? ORDER BY {order} LIMIT {DEEP}", (query,)
            )
            return [name for (name,) in rows]
        except apsw.SQLError:  # what was typed is no FTS5 query
            return []

    def strict_then_any(query: str) -> list[str]:
        return ask("slashed", joined(words(query), " AND ")) or ask("slashed", joined(words(query), " OR "))

    def whole_or_any(query: str) -> list[str]:
        return ask("stemmed", joined([" ".join(words(query)), *words(query)], " OR "), (1, 10, 5, 1))

    def prefixes(query: str) -> list[str]:
        return ask("stemmed", " AND ".join(f'"{word}"*' for word in words(query)), (1.5, 4, 1, 1))

    return {
        "FTS5, as typed": lambda query: ask("plain", query),
        "FTS5, AND of the words": lambda query: ask("stemmed", joined(words(query), " AND ")),
        "FTS5, OR of the words": lambda query: ask("stemmed", joined(words(query), " OR ")),
        "FTS5, OR without stopwords": lambda query: ask("stemmed", joined(telling(query), " OR ")),
        "basic-memory's form": strict_then_any,
        "docs-mcp-server's form": whole_or_any,
        "qmd's form": prefixes,
    }


def words(query: str) -> list[str]:
    """The words of *query* as they stand."""
    return re.findall(r"\w+", query.lower())


def joined(each: Sequence[str], operator: str) -> str:
    """The words, quoted and joined."""
    return operator.join(f'"{word}"' for word in each)
