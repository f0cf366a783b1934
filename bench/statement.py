"""What one statement costs, layer by layer: bare SQLite, the guard, the masks, the worker process, the whole tool.

    python -m bench.statement [--calls N]

One table of 100,000 users; one row by its key, and the first hundred. Samples are taken in turns. The guard's cost is
the difference of two layers that differ in nothing else.
"""

import argparse
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import apsw

from bench.peers.field import HUNDRED, ONE, workspace
from mcp_daan.app import App
from mcp_daan.d1.guard import Guard, harden
from mcp_daan.d1.pool import Pool
from mcp_daan.d1.query import query
from mcp_daan.d1.statement import answer
from mcp_daan.toolbox import run
from mcp_daan.tools import all_tools

Layer = Callable[[str], object]


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--calls", type=int, default=1000, help="calls of each layer")
    calls = parser.parse_args().calls
    with tempfile.TemporaryDirectory() as folder:
        file = workspace(Path(folder))
        app = App(folder)
        bare, guarded = (apsw.Connection(str(file), flags=apsw.SQLITE_OPEN_READONLY) for _ in range(2))
        harden(guarded)
        layers = layers_of(app, bare, guarded, file)
        for title, sql in (("one row by its key", ONE), ("the first 100 of 100,000 rows", HUNDRED)):
            show(title, measured(layers, sql, calls))
        bare.close()
        guarded.close()
        app.close()
    return 0


def layers_of(app: App, bare: apsw.Connection, guarded: apsw.Connection, file: Path) -> dict[str, Layer]:
    """Each layer holds the ones before it; the statement is prepared anew at each call, as a new one is."""
    database, tools = app.database("bench"), all_tools()
    pool: Pool = app.pool
    asked = {"parameters": (), "limit": 100, "seconds": 5.0}

    def with_guard(sql: str) -> object:
        guarded.authorizer = Guard(frozenset({"users"}))
        return guarded.cursor().execute(sql, can_cache=False).fetchall()

    return {
        "bare SQLite": lambda sql: bare.cursor().execute(sql, can_cache=False).fetchall(),
        "+ the guard": with_guard,
        "+ file opened, secrets, masks, budget": lambda sql: answer(
            path=str(file), sql=sql, skip=0, seen="", room=60_000, patterns=(), **asked
        ),
        "+ the worker process": lambda sql: query(pool, database, sql, cursor=None, max_bytes=65536, **asked),
        "+ arguments, workspace, Output Protocol": lambda sql: run(
            tools["d1_query"], app.for_call(), {"database": "bench", "sql": sql}
        ),
    }


def measured(layers: dict[str, Layer], sql: str, calls: int) -> dict[str, list[float]]:
    """Microseconds of each call; the first twenty are warm-up."""
    times: dict[str, list[float]] = {name: [] for name in layers}
    turns, chance = list(layers.items()), random.Random(1)
    for number in range(calls + 20):
        # In any order: whoever comes after the worker process finds the caches cold.
        chance.shuffle(turns)
        for name, layer in turns:
            begun = time.perf_counter()
            layer(sql)
            if number >= 20:
                times[name].append((time.perf_counter() - begun) * 1e6)
    return times


def show(title: str, times: dict[str, list[float]]) -> None:
    """Print one table: median, least and 99th percentile, and what the layer adds to the one before."""
    sys.stdout.write(f"\n{title}, microseconds\n| layer | median | min | p99 | adds |\n|---|---|---|---|---|\n")
    before = 0.0
    for name, values in times.items():
        middle, tail = statistics.median(values), sorted(values)[int(len(values) * 0.99)]
        sys.stdout.write(f"| {name} | {middle:.0f} | {min(values):.0f} | {tail:.0f} | {middle - before:+.0f} |\n")
        before = middle


if __name__ == "__main__":
    sys.exit(main())
