"""What is measured, a function each; samples are taken in turns, so that a slow minute hits every server alike.

Each round starts its servers anew and gives one figure a server; whom a turn begins with is drawn by lot.
"""

import random
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from bench.peers.field import ROWS, Peer, environment, hundred, one
from bench.peers.results import OURS, Found
from bench.peers.wire import LEGACY, MODERN, Failed, Server, request
from bench.tokenizer import shown_to_model, token_counts

START = {LEGACY: f"start, {LEGACY}", MODERN: f"start, {MODERN}"}
FIRST, ONE, HUNDRED, BYTES = "first row", "one row", "100 rows", "bytes of 100 rows"
IDLE, AFTER, GROWTH, SHARED = "memory idle", "memory after calls", "memory growth", "memory, shared pages once"
TOOLS, TOKENS = "tools", "tokens of the tool list"
WARM_UP = 20


@contextmanager
def opened(peer: Peer, file: Path) -> Iterator[Server]:
    """The server of *peer*, just spawned."""
    server = Server(peer.command, file.parent, environment(peer), file.parent / "stderr.log", peer.name)
    try:
        yield server
    finally:
        server.close()


def answering(field: Sequence[Peer], file: Path, found: Found) -> list[Peer]:
    """Those of *field* that answer at all; whoever does not is named as absent, with the reason."""
    fit = []
    for peer in field:
        try:
            with opened(peer, file) as server:
                server.greet()
                server.tools()
                if peer.ask is not None:
                    server.call(*peer.ask(one(1)))
        except (RuntimeError, OSError) as error:
            found.absent[peer.name] = f"it did not answer ({str(error)[:200]})"
        else:
            fit.append(peer)
    return fit


def steadily(stage: Callable[[Sequence[Peer], Found], None], field: list[Peer], found: Found) -> None:
    """Run *stage*; a peer that fails in it is named as absent and left out, and the stage is run again without it."""
    while True:
        part = Found()
        try:
            stage(field, part)
        except Failed as failure:
            if failure.server in (OURS, ""):
                raise
            found.forget(failure.server, str(failure)[:300])
            field[:] = [peer for peer in field if peer.name != failure.server]
        else:
            found.samples |= part.samples
            return


def starts(field: Sequence[Peer], found: Found, file: Path, rounds: int) -> None:
    """Spawn to `tools/list` in each era, and spawn to the first statement answered; the first round is warm-up."""
    chance = random.Random(1)
    for number in range(rounds + 1):
        statement = one(chance.randint(1, ROWS))
        for peer in chance.sample(field, len(field)):
            for era in peer.eras:
                with opened(peer, file) as server:
                    server.greet(era)
                    server.tools(era)
                    taken = server.since_start()
                if number:
                    found.add(START[era], peer.name, [taken])
            if peer.ask is not None:
                with opened(peer, file) as server:
                    server.greet()
                    server.call(*peer.ask(statement))
                    taken = server.since_start()
                if number:
                    found.add(FIRST, peer.name, [taken])


def calls(field: Sequence[Peer], found: Found, file: Path, rounds: int, count: int) -> None:
    """One row and a hundred rows, warm, in turns; the key differs from call to call and is the same for all."""
    chance = random.Random(2)
    for _ in range(rounds):
        with ExitStack() as stack:
            servers = [(peer, stack.enter_context(opened(peer, file))) for peer in field if peer.ask is not None]
            for _, server in servers:
                server.greet()
                server.tools()
            samples: dict[tuple[str, str], list[float]] = {}
            for number in range(WARM_UP + count):
                key = chance.randint(1, ROWS - 100)
                for peer, server in chance.sample(servers, len(servers)):
                    taken = _asked(peer, server, key)
                    for measure, value in taken.items() if number >= WARM_UP else ():
                        samples.setdefault((measure, peer.name), []).append(value)
            for (measure, name), values in samples.items():
                found.add(measure, name, values)


def _asked(peer: Peer, server: Server, key: int) -> dict[str, float]:
    assert peer.ask is not None
    single, line = server.timed(request(*peer.ask(one(key))))
    many, lines = server.timed(request(*peer.ask(hundred(key))))
    right = f"user{key}@example.com".encode() in line and f"user{key + 100}@example.com".encode() in lines
    if not right:
        raise Failed(peer.name, f"it did not answer with the rows that it was asked for: {lines[:300]!r}")
    return {ONE: single, HUNDRED: many, BYTES: len(lines)}


def memory(field: Sequence[Peer], found: Found, file: Path, rounds: int, count: int) -> None:
    """Memory of the process tree after one call, and after *count* more."""
    chance = random.Random(3)
    for _ in range(rounds):
        for peer in field:
            if peer.ask is None:
                continue
            with opened(peer, file) as server:
                server.greet()
                server.tools()
                server.call(*peer.ask(one(1)))
                idle, _ = server.memory()
                for _ in range(count):
                    server.timed(request(*peer.ask(one(chance.randint(1, ROWS)))))
                after, shared = server.memory()
            growth = (after / idle - 1) * 100
            for measure, value in ((IDLE, idle), (AFTER, after), (GROWTH, growth), (SHARED, shared)):
                found.add(measure, peer.name, [value])


def tokens(field: Sequence[Peer], found: Found, file: Path) -> None:
    """What the tool list costs in a model's context: names, descriptions and input schemas, in o200k tokens."""
    for peer in field:
        with opened(peer, file) as server:
            server.greet()
            tools = server.tools()
        found.add(TOOLS, peer.name, [len(tools)])
        found.add(TOKENS, peer.name, [sum(token_counts(shown_to_model(tools)))])


def told(text: str) -> None:
    """A word to whoever waits at the terminal."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()
