"""Measure everyone in one run and print the table.

    python -m bench.peers [--quick] [--rounds N] [--calls N]

The peers are installed from npm and PyPI into build/bench first, outside any clock. Losses are shown like wins.
"""

import argparse
import platform
import sys
import tempfile
from pathlib import Path

from bench.peers import measure
from bench.peers.field import everyone, workspace
from bench.peers.install import PYPI, install
from bench.peers.measure import ERAS, Samples, middle, tail

QUICK = {"mcp-daan", "floor", "@bytebase/dbhub", "@modelcontextprotocol/server-memory"}


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="two peers, fewer calls")
    parser.add_argument("--rounds", type=int, default=0, help="starts of each server")
    parser.add_argument("--calls", type=int, default=0, help="calls of each statement")
    chosen = parser.parse_args()
    rounds = chosen.rounds or (5 if chosen.quick else 11)
    count = chosen.calls or (200 if chosen.quick else 1000)
    there = install(QUICK if chosen.quick else set(PYPI) | QUICK | {"mcp-server-sqlite-npx"})
    with tempfile.TemporaryDirectory() as folder:
        file = workspace(Path(folder))
        field = [peer for peer in everyone(there, file) if not chosen.quick or peer.name in QUICK]
        samples = measure.starts(field, file, rounds)
        measure.calls(field, file, samples, count)
        measure.memory(field, file, samples, 1000 if chosen.quick else 10_000)
        measure.tokens(field, file, samples, there)
    sys.stdout.write(table(samples, there.absent) + "\n")
    return 0


def table(samples: dict[str, Samples], absent: dict[str, str]) -> str:
    """A row a server; times in milliseconds as median (min, p99)."""
    head = ("server", *(f"start {era}" for era in ERAS), "first row", "1 row", "100 rows", "bytes", "MB", "MB after")
    lines = [
        f"{platform.system()} {platform.machine()}, Python {platform.python_version()};"
        " times in ms: median (min, p99); memory of the process tree.",
        "| " + " | ".join((*head, "tools", "tokens")) + " |",
        "|" + "---|" * (len(head) + 2),
    ]
    for name, each in samples.items():
        cells = [_shown(each.start.get(era, [])) for era in ERAS]
        cells += [_shown(each.first), _shown(each.one), _shown(each.hundred)]
        cells += [str(each.bytes or "-"), f"{each.idle:.0f}", f"{each.after:.0f}", str(each.tools), str(each.tokens)]
        lines.append("| " + " | ".join((name, *cells)) + " |")
    lines += [f"Not measured: {name}, for {why}." for name, why in absent.items()]
    return "\n".join(lines)


def _shown(values: list[float]) -> str:
    return f"{middle(values):.2f} ({min(values):.2f}, {tail(values):.2f})" if values else "-"


if __name__ == "__main__":
    sys.exit(main())
