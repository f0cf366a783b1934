"""Worker processes for callers' SQL: started on demand, ended at the deadline, started again."""

import json
import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from pydantic_core import from_json

from mcp_daan.d1.turns import Turns
from mcp_daan.d1.watch import Watch
from mcp_daan.errors import (
    DaanError,
    InternalError,
    InvalidArguments,
    NotFound,
    Refused,
    TooLarge,
    TooSlow,
    Unavailable,
)
from mcp_daan.stopping import stoppable

log = logging.getLogger("mcp_daan")

SIZE = 4
# For a worker, while all are busy with others' statements: fifty readers at once are answered in turn.
WAIT_SECONDS = 20.0
# After the worker's own: it ends itself first wherever the system lets it.
GRACE_SECONDS = 0.9
# No other variable of the server's is passed on: its environment holds secrets.
VARIABLES = ("PATH", "PYTHONPATH", "PYTHONHOME", "SYSTEMROOT", "TEMP", "TMP", "TMPDIR", "LD_LIBRARY_PATH")
FAILURES: dict[str, type[DaanError]] = {
    failure.code: failure for failure in (InvalidArguments, NotFound, Refused, TooLarge, TooSlow, Unavailable)
}


PROGRAM = "import sys; sys.path += {roots!r}; from mcp_daan.d1.worker import main; main()"
# What a pipe holds: a page of rows is read in few pieces.
PIPE_BYTES = 1 << 16


class WorkerGone(Exception):
    """The worker ended before its time, without an answer."""


class Pool:
    """Up to four workers, shared by all calls; a dead one is replaced, and calls wait in turn while all are busy."""

    def __init__(self, size: int = SIZE, wait_seconds: float = WAIT_SECONDS) -> None:
        self._turns = Turns(size)
        self._wait_seconds = wait_seconds
        self._lock = threading.Lock()
        self._watch = Watch()
        self._idle: list[Worker] = []
        self._all: set[Worker] = set()
        self._closed = False

    def ask(self, request: Mapping[str, Any], *, seconds: float) -> dict[str, Any]:
        """What a worker answers to *request* within *seconds*; the rows of a statement are JSON in a text of their own.

        Raises the worker's own failure, TooSlow when it was ended at the deadline, Unavailable when all are busy.
        """
        if not self._turns.take(self._wait_seconds):
            raise Unavailable("Every reader is busy with another statement.", advice="Ask again in a moment.")
        try:
            return _unpacked(self._reply(request, time.monotonic() + seconds))
        finally:
            self._turns.give()

    @property
    def processes(self) -> list[int]:
        """The ids of the worker processes."""
        with self._lock:
            return [worker.process_id for worker in self._all]

    def close(self) -> None:
        """End every worker."""
        with self._lock:
            self._closed = True
            workers, self._all, self._idle = self._all, set(), []
        for worker in workers:
            worker.end()

    def _reply(self, request: Mapping[str, Any], deadline: float) -> dict[str, Any]:
        # A worker that died while idle, or was killed meanwhile, costs its caller nothing: reading twice is harmless.
        for _ in range(2):
            worker = self._taken()
            try:
                reply = worker.ask(request, deadline - time.monotonic(), self._watch)
            except WorkerGone:
                self._drop(worker)
                continue
            except BaseException:
                self._drop(worker)
                raise
            with self._lock:
                self._idle.append(worker)
            return reply
        raise Unavailable(
            "The process that reads the database ended unexpectedly.", advice="Ask again, with a simpler statement."
        )

    def _taken(self) -> "Worker":
        with self._lock:
            if self._closed:
                raise Unavailable("The server is closing.", advice="Start it again.")
            while self._idle:
                worker = self._idle.pop()
                if worker.alive:
                    return worker
                self._all.discard(worker)
                worker.end()
            try:
                worker = Worker()
            except OSError:
                raise Unavailable(
                    "The process that reads databases could not be started.", advice="Look at the machine's limits."
                ) from None
            self._all.add(worker)
            return worker

    def _drop(self, worker: "Worker") -> None:
        with self._lock:
            self._all.discard(worker)
        worker.end()


class Worker:
    """One worker process."""

    def __init__(self) -> None:
        environment = {name: os.environ[name] for name in VARIABLES if name in os.environ}
        # One arena: glibc's further ones would count against the worker's memory limit. -P: never import from the
        # working folder, which is the caller's. -S: what a Python environment adds at its start is not needed here.
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-S", "-c", PROGRAM.format(roots=_roots())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=PIPE_BYTES,
            env={**environment, "MALLOC_ARENA_MAX": "1", "PYTHONUTF8": "1"},
        )

    @property
    def alive(self) -> bool:
        """Whether the process still runs."""
        return self._process.poll() is None

    @property
    def process_id(self) -> int:
        """The process's id."""
        return self._process.pid

    def ask(self, request: Mapping[str, Any], seconds: float, watch: Watch) -> dict[str, Any]:
        """The reply to *request*. Raises TooSlow when the process had to end for it, WorkerGone when it just ended.

        *watch* ends the process when neither it nor SQLite did.
        """
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        seconds = max(seconds, 0.01)
        started = time.monotonic()
        watch.begin(self._process.kill, started + seconds + GRACE_SECONDS)
        line = b""
        try:
            with (
                stoppable(self._process.kill),
                suppress(BrokenPipeError, ValueError),
            ):  # it ended, or the pool was closed meanwhile
                stdin.write(json.dumps({**request, "seconds": seconds}).encode() + b"\n")
                stdin.flush()
                line = stdout.readline()
        finally:
            watch.done(self._process.kill)
        if line.endswith(b"\n"):
            return _read(line)
        if time.monotonic() - started >= seconds:
            raise TooSlow(
                "The statement ran past its deadline and its process was ended.",
                advice="Avoid instr(), replace() and unhex() on large values; narrow the WHERE clause.",
            )
        raise WorkerGone

    def end(self) -> None:
        """End the process and let go of its pipes."""
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with suppress(BrokenPipeError):  # what was not sent any more
                    stream.close()


def _roots() -> list[str]:
    """The folders in which the packages that a worker imports lie."""
    found = [find_spec(name) for name in ("mcp_daan", "apsw")]
    return list(dict.fromkeys(str(Path(spec.origin).parents[1]) for spec in found if spec and spec.origin))


def _read(line: bytes) -> dict[str, Any]:
    told, _, rows = line[:-1].partition(b"\t")
    try:
        reply: dict[str, Any] = from_json(told)  # some three times sooner than the other
    except ValueError:  # half a pair of surrogates
        reply = json.loads(told)
    if rows:
        reply["answer"]["rows"] = rows.decode()
    return reply


def _unpacked(reply: Mapping[str, Any]) -> dict[str, Any]:
    if "answer" in reply:
        answer: dict[str, Any] = reply["answer"]
        return answer
    if "fault" in reply:
        log.error("a statement's worker failed: %s", reply["fault"])
        raise InternalError("The server failed while it ran the statement.", advice="Report it with the statement.")
    raise failure(reply["failure"])


def failure(told: Sequence[Any]) -> DaanError:
    """The failure that a process told of."""
    code, message, advice, retryable = told
    return FAILURES[code](message, advice=advice, retryable=retryable)
