"""How well search finds: this server's ranking beside plain FTS5 on questions with known answers.

    python bench/search.py --data FOLDER

FOLDER holds `queries_dev.jsonl` (id, query, kind, relevant[]) and `docs-corpus/` (markdown). The environment
variable MCP_DAAN_BENCH_DATA names it too. Nothing is downloaded.
"""

import argparse
import json
import math
import os
import random
import re
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import apsw

from mcp_daan.knowledge.base import KnowledgeBase
from mcp_daan.knowledge.markdown import document_title, front_matter, lines_of, read_text, sections
from mcp_daan.knowledge.retrieval.search import Question, search, sources_for
from mcp_daan.knowledge.retrieval.words import telling
from mcp_daan.workspace import Workspace

DEPTH = 10
RESAMPLES = 10_000
Find = Callable[[str], list[str]]


@dataclass(frozen=True)
class Case:
    """A question, and the pages that answer it."""

    query: str
    kind: str
    relevant: frozenset[str]


@dataclass(frozen=True)
class Score:
    """What one way of searching reached, per question."""

    gain: list[float]
    reciprocal: list[float]
    empty: int
    milliseconds: list[float]


def main() -> int:
    """Print the table; 2 when the data is absent."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", default=os.environ.get("MCP_DAAN_BENCH_DATA"), help="folder with the questions")
    data = parser.parse_args().data
    if not data or not (Path(data) / "queries_dev.jsonl").is_file() or not (Path(data) / "docs-corpus").is_dir():
        sys.stderr.write("No data: name a folder with queries_dev.jsonl and docs-corpus/ through --data.\n")
        return 2
    lines = (Path(data) / "queries_dev.jsonl").read_text(encoding="utf-8").splitlines()
    cases = [Case(row["query"], row["kind"], frozenset(row["relevant"])) for row in map(json.loads, lines)]
    with tempfile.TemporaryDirectory() as cache:
        os.environ["XDG_CACHE_HOME"] = cache
        report(cases, Path(data).resolve() / "docs-corpus")
    return 0


def report(cases: Sequence[Case], corpus: Path) -> None:
    """Measure every way on *cases* and print one line for each, with the paired difference to this server's."""
    ours, cold, warm = this_server(corpus)
    ways = {"mcp-daan": ours, **plain(corpus)}
    scores = {name: measure(find, cases) for name, find in ways.items()}
    kinds = sorted({case.kind for case in cases})
    out = sys.stdout.write
    out(f"{len(cases)} questions, {sum(1 for _ in corpus.rglob('*.md'))} pages; ")
    out(f"index cold {cold:.2f} s, unchanged scan and empty refresh {warm * 1000:.1f} ms\n\n")
    out(f"{'':34}{'nDCG@10':>9}{'MRR':>7}" + "".join(f"{kind:>10}" for kind in kinds))
    out(f"{'empty':>7}{'p50 ms':>8}{'p95 ms':>8}  mcp-daan's nDCG@10 above it (95 % interval)\n")
    for name, score in scores.items():
        by_kind = [mean([r for r, c in zip(score.reciprocal, cases, strict=True) if c.kind == k]) for k in kinds]
        spent = sorted(score.milliseconds)
        out(f"{name:34}{mean(score.gain):9.3f}{mean(score.reciprocal):7.3f}" + "".join(f"{v:10.3f}" for v in by_kind))
        out(f"{score.empty:7}{spent[len(spent) // 2]:8.1f}{spent[len(spent) * 95 // 100]:8.1f}")
        out(f"  {'' if score is scores['mcp-daan'] else difference(scores['mcp-daan'].gain, score.gain)}\n")
    low, high = interval(scores["mcp-daan"].gain)
    out(f"\nmcp-daan: nDCG@10 {mean(scores['mcp-daan'].gain):.3f}, 95 % interval {low:.3f} to {high:.3f}\n")


def this_server(corpus: Path) -> tuple[Find, float, float]:
    """The server's own search, and the seconds of its first and of an unchanged refresh."""
    base = KnowledgeBase(corpus, ".", "workspace", Workspace(corpus))

    def find(query: str) -> list[str]:
        question = Question((query,), scope="all")
        found = search(base, question, sources_for(base, question.kinds), now=datetime.now(UTC), limit=DEPTH)
        return [result.path for result in found.results]

    def seconds() -> float:
        begin = time.perf_counter()
        find("?")  # no word in it: only the refresh is timed
        return time.perf_counter() - begin

    cold = seconds()
    return find, cold, min(seconds() for _ in range(5))


def plain(corpus: Path) -> dict[str, Find]:
    """Plain FTS5 over whole pages and over sections, asked in the usual ways."""
    connection = apsw.Connection(":memory:")
    connection.execute("CREATE VIRTUAL TABLE pages USING fts5(name UNINDEXED, body, tokenize = 'porter')")
    connection.execute("CREATE VIRTUAL TABLE parts USING fts5(name UNINDEXED, head, body, tokenize = 'porter')")
    with connection:
        for file in sorted(corpus.rglob("*.md")):
            fill(connection, file.relative_to(corpus).as_posix(), read_text(file))

    def ask(table: str, query: str) -> list[str]:
        try:
            # The n best parts hold the best pages: a page's rank is its best part's.
            rows = connection.execute(
                f"SELECT name FROM {table} WHERE {table} MATCH ? ORDER BY rank LIMIT 200", (query,)
            )
            return list(dict.fromkeys(name for (name,) in rows))[:DEPTH]
        except apsw.SQLError:  # what was typed is no FTS5 query
            return []

    return {
        "FTS5 pages, raw MATCH": lambda query: ask("pages", query),
        "FTS5 pages, AND of quoted words": lambda query: ask("pages", joined(query, " AND ")),
        "FTS5 pages, whole phrase": lambda query: ask("pages", '"' + query.replace('"', '""') + '"'),
        "FTS5 pages, AND of prefixes": lambda query: ask("pages", " AND ".join(f'"{w}"*' for w in quoted(query))),
        "FTS5 pages, OR, no stopwords": lambda query: ask("pages", " OR ".join(f'"{w}"' for w in telling(query))),
        "FTS5 sections, OR, no stopwords": lambda query: ask("parts", " OR ".join(f'"{w}"' for w in telling(query))),
    }


def fill(connection: apsw.Connection, name: str, text: str) -> None:
    """Add the page and its sections."""
    _, skipped = front_matter(text)
    lines, found = lines_of(text), sections(text)
    title = document_title(text, name, found=found)
    connection.execute("INSERT INTO pages VALUES (?, ?)", (name, title + "\n" + "".join(lines[skipped:])))
    for section in found:
        body = "".join(lines[section.line : section.own_end])
        connection.execute("INSERT INTO parts VALUES (?, ?, ?)", (name, " ".join((title, *section.path)), body))


def quoted(query: str) -> list[str]:
    """The words of *query* as they stand."""
    return re.findall(r"\w+", query.lower())


def joined(query: str, operator: str) -> str:
    """The words of *query*, quoted and joined."""
    return operator.join(f'"{word}"' for word in quoted(query))


def measure(find: Find, cases: Sequence[Case]) -> Score:
    """Ask every question once."""
    score = Score([], [], 0, [])
    empty = 0
    for case in cases:
        begin = time.perf_counter()
        names = find(case.query)[:DEPTH]
        score.milliseconds.append((time.perf_counter() - begin) * 1000)
        empty += not names
        ideal = sum(1 / math.log2(rank + 2) for rank in range(min(DEPTH, len(case.relevant))))
        gained = sum(1 / math.log2(rank + 2) for rank, name in enumerate(names) if name in case.relevant)
        score.gain.append(gained / ideal)
        score.reciprocal.append(next((1 / rank for rank, name in enumerate(names, 1) if name in case.relevant), 0.0))
    return Score(score.gain, score.reciprocal, empty, score.milliseconds)


def mean(values: Sequence[float]) -> float:
    """The arithmetic mean."""
    return sum(values) / len(values)


def interval(values: Sequence[float]) -> tuple[float, float]:
    """The 95 % bootstrap interval of the mean; the seed is fixed."""
    dice = random.Random(1)
    means = sorted(mean(dice.choices(values, k=len(values))) for _ in range(RESAMPLES))
    return means[RESAMPLES * 25 // 1000], means[RESAMPLES * 975 // 1000]


def difference(ours: Sequence[float], theirs: Sequence[float]) -> str:
    """The paired difference with its interval."""
    apart = [our - their for our, their in zip(ours, theirs, strict=True)]
    low, high = interval(apart)
    return f"{mean(apart):+.3f} ({low:+.3f} to {high:+.3f})"


if __name__ == "__main__":
    sys.exit(main())
