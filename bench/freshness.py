"""How soon search follows the files: the index made from nothing, a look at unchanged files, and searches.

    python bench/freshness.py [COUNT ...]

By default for 1,000 and 20,000 files of several sections each, made up from a vocabulary with a fixed seed.
"""

import os
import random
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from bench.retrieval.ways import base_of
from mcp_daan.knowledge.retrieval.search import Question, search, sources_for

COUNTS = (1000, 20_000)
SECTIONS = 6
WORDS = 110
TIMES = 15
Ask = Callable[[str], None]
QUESTIONS = ("how many w12 are read at once", "w7_w31", "w3 w150 w900 is not w4", "w1 w2 w3 w5 w6 w8")


def main(arguments: list[str]) -> int:
    """Print one line for each number of files."""
    out = sys.stdout.write
    out(f"{'files':>8}{'MB':>7}{'cold s':>9}{'unchanged ms':>16}{'search ms':>13}   (least and median)\n")
    for count in [int(each) for each in arguments] or COUNTS:
        with tempfile.TemporaryDirectory() as folder:
            os.environ["XDG_CACHE_HOME"] = f"{folder}/cache"
            size = fill(Path(folder) / "pages", count)
            ask = asking(Path(folder) / "pages")
            cold, (unchanged, searches) = first(ask), later(ask)
        least = f"{min(unchanged):10.1f} {median(unchanged):5.1f}{min(searches):7.1f} {median(searches):5.1f}"
        out(f"{count:8,}{size / 1e6:7.1f}{cold:9.2f}{least}\n")
    return 0


def fill(root: Path, count: int) -> int:
    """Write *count* pages, and return how many bytes they take."""
    dice = random.Random(1)
    vocabulary = [f"w{number}" for number in range(5000)]
    weights = [1 / (number + 1) for number in range(5000)]  # few words are frequent, as in any language
    size = 0
    for number in range(count):
        parts = [f"# Page {number}\n"]
        for section in range(SECTIONS):
            parts.append(f"\n## Part {section}\n\n{' '.join(dice.choices(vocabulary, weights, k=WORDS))}\n")
        file = root / f"folder{number % 97}" / f"{number}.md"
        file.parent.mkdir(parents=True, exist_ok=True)
        size += file.write_text("".join(parts), encoding="utf-8")
    return size


def asking(root: Path) -> Ask:
    """What searches the pages in *root*."""
    base = base_of(root)

    def ask(query: str) -> None:
        question = Question((query,))
        search(base, question, sources_for(base, question.kinds), now=datetime.now(UTC))

    return ask


def first(ask: Ask) -> float:
    """Seconds of the first call; afterwards every page is known to have settled."""
    cold = timed(lambda: ask("?"))
    until = time.monotonic() + 3
    while time.monotonic() < until:  # a file that was written this moment is read once more
        ask("?")
    return cold


def later(ask: Ask) -> tuple[list[float], list[float]]:
    """Milliseconds of calls without a word in them, and of searches."""
    unchanged = [1000 * timed(lambda: ask("?")) for _ in range(TIMES)]
    searches = [1000 * timed(lambda query=query: ask(query)) for query in QUESTIONS * 4]
    return unchanged, searches


def timed(work: Callable[[], None]) -> float:
    """How many seconds it takes."""
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
