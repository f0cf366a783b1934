"""Measure everyone in one run, print the tables and write docs/benchmarks.md.

    python -m bench.peers [--quick] [--data FOLDER]

The peers are installed from npm and PyPI into build/bench first, outside any clock. Losses are shown like wins. FOLDER
holds the documents that are searched: markdown, or a folder `docs-corpus` of it beside `queries_dev.jsonl`; without
it, it is the knowledge that ships with this project. With --quick two peers are measured, and no page is written.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from bench import plot
from bench.peers import measure, page
from bench.peers.field import DBHUB, FLOOR, MEMORY, everyone, workspace
from bench.peers.install import NPM, PLACE, PYPI, ROOT, Installed, install
from bench.peers.libraries import SEARCH, Library, answers, fed, libraries, questions, searches
from bench.peers.measure import told
from bench.peers.results import OURS, Found, Judged, judged
from bench.peers.serving import serving
from bench.peers.targets import TARGETS
from tests.generate import between

PAGE, PICTURE = ROOT / "docs" / "benchmarks.md", ROOT / "docs" / "benchmarks.svg"
# What the picture shows: all of which less is better.
DRAWN = [*measure.START.values(), measure.FIRST, measure.ONE, measure.HUNDRED, measure.BYTES, SEARCH]
DRAWN += [measure.IDLE, measure.AFTER, measure.TOKENS]


@dataclass(frozen=True)
class Amounts:
    """Rounds of everything, and what each round does."""

    starts: int
    calls: int
    calls_each: int
    memory: int
    memory_calls: int
    served: int = 0
    served_seconds: float = 0
    searched: int = 0
    searched_each: int = 0


FULL = Amounts(
    starts=12,
    calls=9,
    calls_each=150,
    memory=1,
    memory_calls=10_000,
    served=18,
    served_seconds=1.5,
    searched=6,
    searched_each=7,
)
QUICK = Amounts(starts=6, calls=6, calls_each=50, memory=1, memory_calls=1000)


def main() -> int:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="two peers, fewer rounds, no page")
    parser.add_argument("--data", default=os.environ.get("MCP_DAAN_BENCH_DATA"), help="folder with the documents")
    chosen = parser.parse_args()
    data = Path(chosen.data).resolve() if chosen.data else ROOT / "knowledge"
    if chosen.quick:
        text, _, found = run(install([DBHUB, MEMORY]), data, QUICK)
        sys.stdout.write(text)
        return 0
    text, rows, found = run(install([*NPM, *PYPI]), data, FULL)
    sys.stdout.write(text)
    PAGE.write_text(between(PAGE.read_text(encoding="utf-8"), "bench", text), encoding="utf-8")
    PICTURE.write_bytes(plot.beside_ours(ratios(found), OURS))
    told(compared(rows, PLACE / "verdicts.json"))
    return 0


def run(there: Installed, data: Path, amounts: Amounts) -> tuple[str, list[Judged], Found]:
    """Measure those who are there: what stands on the page, the verdicts, and every sample."""
    found = Found(absent=dict(there.absent))
    corpus = data / "docs-corpus" if (data / "docs-corpus").is_dir() else data
    asked = questions(data, corpus) if amounts.searched else []
    shelf = prepared(there, corpus, asked, found) if asked else []
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="mcp-daan-bench-") as folder:
        measured(Path(folder), there, found, amounts)
    served, searched = "", ""
    if amounts.served:
        told("HTTP")
        served = serving(found, amounts.served, amounts.served_seconds)
    if shelf:
        told("search")
        stage = partial(searches, asked=asked, rounds=amounts.searched, each=amounts.searched_each)
        measure.steadily(stage, [library.peer for library in shelf], found)
        searched = described(data, corpus)
    minutes = (time.monotonic() - begun) / 60
    told(f"{minutes:.1f} minutes, installs left aside")
    rows = [judged(target, found) for target in TARGETS]
    if amounts is QUICK:
        rows = [row for row in rows if row.verdict != "not measured"]
    return report(found, rows, searched, served, minutes), rows, found


def prepared(there: Installed, corpus: Path, asked: Sequence[str], found: Found) -> list[Library]:
    """Give every library its documents before the clock runs, and those that answer."""
    shelf = []
    for library in libraries(there, corpus):
        if why := fed(library, corpus) or answers(library, asked[0]):
            found.absent[library.peer.name] = why
        else:
            shelf.append(library)
    return shelf


def measured(folder: Path, there: Installed, found: Found, amounts: Amounts) -> None:
    """Everything over stdio but search."""
    file = workspace(folder)
    field = measure.answering(everyone(there, file), file, found)
    stages = {
        "starts": partial(measure.starts, file=file, rounds=amounts.starts),
        "calls": partial(measure.calls, file=file, rounds=amounts.calls, count=amounts.calls_each),
        "memory": partial(measure.memory, file=file, rounds=amounts.memory, count=amounts.memory_calls),
        "tokens": partial(measure.tokens, file=file),
    }
    for name, stage in stages.items():
        told(name)
        measure.steadily(stage, field, found)


def described(data: Path, corpus: Path) -> str:
    """Which documents are searched."""
    count = sum(1 for _ in corpus.rglob("*.md"))
    own = data == ROOT / "knowledge"
    which = "this project's own `knowledge/`" if own else f"a folder given by `--data` ({corpus.name})"
    return f"Searched: {count:,} files of {which}; everyone is asked the same questions, none of them twice."


def report(found: Found, rows: Sequence[Judged], searched: str, served: str, minutes: float) -> str:
    """What stands on the page between the marks."""
    parts = [
        f"{page.surroundings()} The run took {minutes:.1f} minutes, installs left aside. {searched}\n",
        "### Targets\n",
        page.verdicts(rows),
        f"![Each server beside ours]({PICTURE.name})\n",
        "### Every server\n",
        page.everything(found),
        *(("### Over HTTP\n", served) if served else ()),
        "### Versions\n",
        page.versions(found) + "\n",
        "### Not measured in this run\n",
        page.missing(found),
    ]
    return "\n".join(parts)


def ratios(found: Found) -> dict[str, dict[str, float]]:
    """How many times as much as ours each server takes, by measure; the floor is nobody's peer."""
    shown = {}
    for name in DRAWN:
        ours = found.rounds(name, OURS)
        if ours:
            servers = sorted(server for server in found.samples[name] if server not in (OURS, FLOOR))
            shown[name] = {OURS: 1.0} | {
                server: page.middle([b / a for a, b in zip(ours, found.rounds(name, server), strict=False)])
                for server in servers
            }
    return shown


def compared(rows: Sequence[Judged], kept: Path) -> str:
    """Whether the verdicts are those of the run before, which are kept beside the peers."""
    now = {
        f"{row.target.what} {row.target.limit:g} {' '.join(row.target.against)}".strip(): row.verdict for row in rows
    }
    before: Mapping[str, str] = json.loads(kept.read_text()) if kept.is_file() else {}
    kept.write_text(json.dumps(now, indent=1))
    if not before:
        return "no run before this one to compare verdicts with"
    changed = [f"{what}: {before[what]}, now {each}" for what, each in now.items() if before.get(what, each) != each]
    return (
        "\n".join(["verdicts that changed since the run before:", *changed])
        if changed
        else "the verdicts of the run before"
    )


if __name__ == "__main__":
    sys.exit(main())
