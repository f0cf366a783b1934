"""Measure what calls cost when rows, databases, knowledge, connections, branches and callers grow.

    python -m bench.growth [--only LEG ...] [--small]

Prints the table and writes it, with its picture, into docs/benchmarks.md. With --only or --small, which leaves out the
largest size of each, it only prints. The largest needs 3 GB of free disk, which are given back.
"""

import argparse
import os
import sys
import time
from collections.abc import Mapping, Sequence

from bench import plot
from bench.growth.legs import LEGS
from bench.growth.slopes import LIMIT, Line, slopes, verdict
from bench.peers.install import ROOT
from bench.peers.measure import told
from bench.peers.page import figure, surroundings
from tests.generate import between

PAGE, PICTURE = ROOT / "docs" / "benchmarks.md", ROOT / "docs" / "benchmarks-growth.svg"


def main() -> int:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--only", choices=LEGS, nargs="+", help="those that are measured; no page is written")
    parser.add_argument("--small", action="store_true", help="without the largest sizes; no page is written")
    chosen = parser.parse_args()
    cache = os.environ.get("XDG_CACHE_HOME")
    begun, lines = time.monotonic(), []
    for name in chosen.only or LEGS:
        told(name)
        leg, sizes = LEGS[name]
        lines += leg(sizes[:-1] if chosen.small else sizes)
        os.environ.pop("XDG_CACHE_HOME", None)
        if cache is not None:
            os.environ["XDG_CACHE_HOME"] = cache
    text = report(lines, (time.monotonic() - begun) / 60)
    sys.stdout.write(text)
    if not chosen.only and not chosen.small:
        PAGE.write_text(between(PAGE.read_text(encoding="utf-8"), "growth", text), encoding="utf-8")
        PICTURE.write_bytes(plot.growth({line.what: line.points for line in lines}))
    return 0


def report(lines: Sequence[Line], minutes: float) -> str:
    """A row a cost: what it took at each size, and how fast it grows."""
    rows = [
        f"{surroundings()} The run took {minutes:.1f} minutes.\n",
        "| what | sizes | median ms at each | most MB | exponent (range) | last step (range) | than its input |",
        "|---|---|---|---|---|---|---|",
    ]
    for line in lines:
        sizes = " · ".join(f"{size:,}" for size in line.samples)
        costs = " · ".join(figure(cost) for _, cost in line.points)
        peaks = " · ".join(figure(peak) for peak in line.peaks.values())
        whole, last = (f"{fit:.2f} ({low:.2f}–{high:.2f})" for fit, low, high in slopes(line))
        rows.append(
            f"| {line.what} | {sizes} {line.unit} | {costs} | {peaks} | {whole} | {last} | **{verdict(line)}** |"
        )
    rows.append(f"\n![Cost against size]({PICTURE.name})")
    rows.append("\n" + conclusion({line.what: verdict(line) for line in lines}))
    return "\n".join(rows) + "\n"


def conclusion(verdicts: Mapping[str, str]) -> str:
    """What the rows say together."""
    said = []
    for word in ("faster", "unsure"):
        if named := [what for what, each in verdicts.items() if each == word]:
            said.append(f"{word.capitalize()}: {'; '.join(named)}.")
    said = said or ["Nothing grows faster than its input."]
    return f"{' '.join(said)} The limit is an exponent of {LIMIT:g}."


if __name__ == "__main__":
    sys.exit(main())
