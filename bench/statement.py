"""What one statement costs, layer by layer: bare SQLite, the guard, the masks, the worker process, the whole tool.

    python -m bench.statement [--calls N]

One table of 100,000 users; one row by its key, and a hundred. No two statements are the same, so that none is served
from a cache. Samples are taken in turns. The guard's cost is the difference of two layers that differ in nothing else.
The last table is of a worker process: from its start to its first answer, and the memory it then takes.
"""

import argparse
import random
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import apsw

from bench.peers.field import workspace
from mcp_daan.app import App
from mcp_daan.d1.databases import Database
from mcp_daan.d1.guard import Guard, harden
from mcp_daan.d1.keeping import Keeper
from mcp_daan.d1.pool import Pool
from mcp_daan.d1.query import query
from mcp_daan.d1.statement import answer
from mcp_daan.sqlite_files import SETTLED_NANOSECONDS
from mcp_daan.toolbox import run
from mcp_daan.tools import all_tools

Layer = Callable[[str], object]
COLUMNS = "SELECT id, email, name, plan, score, created_at FROM users WHERE id"
STATEMENTS = {
    "one row by its key": f"{COLUMNS} = {{}}",
    "100 of 100,000 rows": f"{COLUMNS} > {{}} ORDER BY id LIMIT 100",
}
STARTS = 15


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
        # A file of the last moment is opened anew for each statement, which is not what is measured.
        threading.Event().wait(1.1 * SETTLED_NANOSECONDS / 1e9)
        layers = layers_of(app, bare, guarded, file)
        for title, sql in STATEMENTS.items():
            show(title, measured(layers, sql, calls))
        show_starts(app.database("bench"))
        bare.close()
        guarded.close()
        app.close()
    return 0


def layers_of(app: App, bare: apsw.Connection, guarded: apsw.Connection, file: Path) -> dict[str, Layer]:
    """Each layer holds the ones before it; the statement is prepared anew at each call, as a new one is."""
    database, tools = app.database("bench"), all_tools()
    pool: Pool = app.pool
    files = Keeper()
    asked = {"parameters": (), "limit": 100, "seconds": 5.0}

    def with_guard(sql: str) -> object:
        guarded.authorizer = Guard(frozenset({"users"}))
        return guarded.cursor().execute(sql, can_cache=False).fetchall()

    return {
        "bare SQLite": lambda sql: bare.cursor().execute(sql, can_cache=False).fetchall(),
        "+ the guard": with_guard,
        "+ file opened, secrets, masks, budget": lambda sql: answer(
            files, path=str(file), sql=sql, skip=0, seen="", room=60_000, patterns=(), **asked
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
        for place, (name, layer) in enumerate(turns):
            statement = sql.format(number * len(turns) + place + 1)
            begun = time.perf_counter()
            layer(statement)
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


def show_starts(database: Database) -> None:
    """Print what a worker process takes to start."""
    times, kilobytes = [], 0
    for _ in range(STARTS):
        begun, pool = time.perf_counter(), Pool()
        query(pool, database, "SELECT 1", (), limit=1, cursor=None, max_bytes=65536, seconds=5.0)
        times.append((time.perf_counter() - begun) * 1e3)
        kilobytes = max(map(resident, pool.processes))
        pool.close()
    sys.stdout.write(
        f"\na worker process: {statistics.median(times):.0f} ms from its start to its first answer"
        f" (least {min(times):.0f}), then {kilobytes / 1024:.1f} MB resident\n"
    )


def resident(process: int) -> int:
    """The kilobytes in memory of a process."""
    status = Path(f"/proc/{process}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))


if __name__ == "__main__":
    sys.exit(main())
