"""What grows, a function each: make it in the sizes that are asked for, and time a call on every one of them."""

import asyncio
import os
import random
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

import apsw

from bench import branches as history
from bench import freshness, load, tokens
from bench.growth.slopes import Line
from bench.peers.field import ROWS, Peer, one, workspace
from bench.peers.install import BIN
from bench.peers.measure import opened
from bench.peers.results import OURS
from bench.peers.wire import Server, request
from bench.serving.client import call, once, right, run
from mcp_daan.demo.workspace import make_workspace
from mcp_daan.server.http.tokens import TokenFile

Leg = Callable[[Sequence[int]], list[Line]]
ROUNDS = 9
FEW_ROUNDS = 3  # of what takes seconds each time
WARM_UP = 20


def rows(sizes: Sequence[int]) -> list[Line]:
    """Rows of one answer, over stdio."""
    line = Line("rows of a `d1_query`", "rows")
    with tempfile.TemporaryDirectory() as folder, started(workspace(Path(folder))) as server:
        chance = random.Random(1)
        for _ in range(ROUNDS):
            for size in sizes:
                first = [chance.randint(1, ROWS - size) for _ in range(WARM_UP + 50)]
                asked = [
                    queried(f"SELECT id, plan FROM users WHERE id > {each} ORDER BY id LIMIT {size}", size)
                    for each in first
                ]
                line.samples.setdefault(size, []).append(taken(server, asked))
    return [line]


def database(sizes: Sequence[int]) -> list[Line]:
    """MB of a database, by which one row is read by its key, and the schema is told."""
    key, schema = Line("one row by its key, by size of the database", "MB"), Line("`d1_schema`, by size", "MB")
    with tempfile.TemporaryDirectory() as folder:
        file = workspace(Path(folder))
        for size in sizes:
            grown(file, size * 1_000_000)
            with started(file) as server:
                chance = random.Random(2)
                described = request("d1_schema", {"database": "bench"})
                for _ in range(ROUNDS):
                    asked = [queried(one(chance.randint(1, ROWS))) for _ in range(WARM_UP + 50)]
                    key.samples.setdefault(size, []).append(taken(server, asked))
                    schema.samples.setdefault(size, []).append(taken(server, [described] * (WARM_UP + 10)))
    return [key, schema]


def knowledge(sizes: Sequence[int]) -> list[Line]:
    """Files of the knowledge base: read for the first time, looked at again, searched."""
    cold = Line("first search in so many files: the index is made", "files")
    again = Line("a search that finds no changed file", "files")
    search = Line("a search of several words", "files")
    with tempfile.TemporaryDirectory() as folder:
        for size in sizes:
            freshness.fill(Path(folder) / str(size), size)
        for number in range(ROUNDS):
            if number % FEW_ROUNDS == 0:
                os.environ["XDG_CACHE_HOME"] = f"{folder}/cache{number}"
                asks = {size: freshness.asking(Path(folder) / str(size)) for size in sizes}
                for size, ask in asks.items():
                    cold.samples.setdefault(size, []).append(1000 * freshness.first(ask))
            for size, ask in asks.items():
                looks, searches = freshness.later(ask)
                again.samples.setdefault(size, []).append(median(looks))
                search.samples.setdefault(size, []).append(median(searches))
    return [cold, again, search]


def connections(sizes: Sequence[int]) -> list[Line]:
    """Connections that `tokens_health` judges; processor time, and the most memory of a process that judges once."""
    line = Line("`tokens_health`", "connections")
    for _ in range(FEW_ROUNDS):
        for size in sizes:
            _, (seconds,), line.peaks[size] = tokens.beside_floor(size, 1)
            line.samples.setdefault(size, []).append(1000 * seconds)
    return [line]


def branches(sizes: Sequence[int]) -> list[Line]:
    """Branches that hold lessons, each with twenty commits of its own and as many on the trunk."""
    cold, warm = Line("lessons of branches, first look", "branches"), Line("lessons of branches, later", "branches")
    for size in sizes:
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder) / "repository"
            history.made(root, 40 * size, size)
            for number in range(ROUNDS):
                os.environ["XDG_CACHE_HOME"] = f"{folder}/cache{number}"
                for line in (cold, warm):
                    seconds, found, _ = history.looked(root)
                    assert found, "no branch was found"
                    line.samples.setdefault(size, []).append(1000 * seconds)
    return [cold, warm]


def callers(sizes: Sequence[int]) -> list[Line]:
    """Callers at once over HTTP, each with the next request as soon as it was answered."""
    line = Line("p50 of `d1_query` over HTTP, one worker", "callers at once")
    tool, arguments = load.ASKED["d1_query, one row"]
    with tempfile.TemporaryDirectory() as folder:
        place, home = Path(folder) / "workspace", Path(folder) / "home"
        make_workspace(place, datetime.now(UTC))
        token = TokenFile(home / "data/mcp-daan/tokens.json").create("load", ["d1:read", "knowledge:read"])
        with load.ours(place, home, 1) as (port, _):
            asked = call(port, "modern", tool, arguments, token)
            status, body = asyncio.run(once(port, asked))
            assert right(status, body), body
            for _ in range(ROUNDS):
                for size in sizes:
                    done = run(port, asked, connections=size, seconds=1.5)
                    assert not done.failed, f"{done.failed} of {size} callers' requests failed"
                    line.samples.setdefault(size, []).append(done.percentile(0.5))
    return [line]


LEGS: dict[str, tuple[Leg, list[int]]] = {
    "rows": (rows, [1, 10, 100, 1000]),
    "database": (database, [10, 100, 500, 2000]),
    "knowledge": (knowledge, [100, 1000, 5000, 20_000]),
    "connections": (connections, [1000, 10_000, 100_000, 1_000_000]),
    "branches": (branches, [10, 100, 300, 1000]),
    "callers": (callers, [1, 10, 50, 200]),
}


@contextmanager
def started(file: Path) -> Iterator[Server]:
    """Our server over stdio, greeted, on the workspace of *file*."""
    with opened(Peer(OURS, [str(BIN / "mcp-daan"), "--workspace", str(file.parent)], None), file) as server:
        server.greet()
        yield server


def queried(sql: str, limit: int = 100) -> bytes:
    """The line that asks for rows."""
    return request("d1_query", {"database": "bench", "sql": sql, "limit": limit})


def taken(server: Server, asked: Sequence[bytes]) -> float:
    """The median milliseconds of *asked*; the first of them are warm-up."""
    times = []
    for line in asked:
        milliseconds, answer = server.timed(line)
        if b'"status":"complete"' not in answer.replace(b'\\"', b'"').replace(b": ", b":"):
            raise RuntimeError(f"the server did not answer: {answer[:300]!r}")
        times.append(milliseconds)
    return median(times[WARM_UP:])


def grown(file: Path, size: int) -> None:
    """Fill a table of *file* until it takes *size* bytes; made by SQL, since it may be gigabytes."""
    connection = apsw.Connection(str(file))
    connection.execute("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF")
    connection.execute("CREATE TABLE IF NOT EXISTS filling (id INTEGER PRIMARY KEY, kind INTEGER, body TEXT)")
    missing = (size - file.stat().st_size) // 1000
    connection.execute(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)"
        " INSERT INTO filling (kind, body) SELECT i % 7, printf('%0970d', i) FROM n",
        (max(missing, 1),),
    )
    connection.close()
