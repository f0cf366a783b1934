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


def main() -> int:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="two peers, fewer rounds, no page")
    parser.add_argument("--data", default=os.environ.get("MCP_DAAN_BENCH_DATA"), help="folder with the documents")
    chosen = parser.parse_args()
    there = install([DBHUB, MEMORY] if chosen.quick else [*NPM, *PYPI])
    data = Path(chosen.data).resolve() if chosen.data else ROOT / "knowledge"
    corpus = data / "docs-corpus" if (data / "docs-corpus").is_dir() else data
    found = Found(absent=dict(there.absent))
    asked = questions(data, corpus)
    shelf = [] if chosen.quick else prepared(there, corpus, asked, found)
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="mcp-daan-bench-") as folder:
        served = measured(Path(folder), there, found, quick=chosen.quick)
    searched = "" if chosen.quick else search(shelf, data, corpus, asked, found)
    rows = [row for row in (judged(target, found) for target in TARGETS) if not chosen.quick or row.ours]
    minutes = (time.monotonic() - begun) / 60
    text = report(found, rows, searched, served, minutes)
    sys.stdout.write(text)
    if not chosen.quick:
        PAGE.write_text(between(PAGE.read_text(encoding="utf-8"), "bench", text), encoding="utf-8")
        PICTURE.write_bytes(plot.beside_ours(ratios(found), OURS))
        told(compared(rows, PLACE / "verdicts.json"))
    told(f"{minutes:.1f} minutes, installs left aside")
    return 0


def prepared(there: Installed, corpus: Path, asked: Sequence[str], found: Found) -> list[Library]:
    """Give every library its documents before the clock runs, and those that answer."""
    shelf = []
    for library in libraries(there, corpus):
        if why := fed(library, corpus) or answers(library, asked[0]):
            found.absent[library.peer.name] = why
        else:
            shelf.append(library)
    return shelf


def measured(folder: Path, there: Installed, found: Found, *, quick: bool) -> str:
    """Everything but search; the table of HTTP is given back."""
    file = workspace(folder)
    field = measure.answering(everyone(there, file), file, found)
    told("starts")
    measure.starts(field, file, found, 6 if quick else 15)
    told("calls")
    measure.calls(field, file, found, *((6, 50) if quick else (9, 150)))
    told("memory")
    measure.memory(field, file, found, 1 if quick else 3, 1000 if quick else 10_000)
    measure.tokens(field, file, found)
    if quick:
        return ""
    told("HTTP")
    return serving(found, rounds=6, seconds=1.5)


def search(shelf: Sequence[Library], data: Path, corpus: Path, asked: Sequence[str], found: Found) -> str:
    """Search in the documents, and say which they are."""
    told("search")
    searches(shelf, asked, found, rounds=6, each=7)
    count = sum(1 for _ in corpus.rglob("*.md"))
    which = (
        "this project's own `knowledge/`"
        if data == ROOT / "knowledge"
        else f"a folder given by `--data` ({corpus.name})"
    )
    return f"Searched: {count:,} files of {which}; everyone is asked the same questions, none of them twice."


def report(found: Found, rows: Sequence[Judged], searched: str, served: str, minutes: float) -> str:
    """What stands on the page between the marks."""
    parts = [
        f"{page.surroundings()} The run took {minutes:.1f} minutes, installs left aside. {searched}\n",
        "### Targets\n",
        page.verdicts(rows),
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
            servers = [server for server in found.samples[name] if server not in (OURS, FLOOR)]
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
