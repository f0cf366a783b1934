"""Threads that read in turn: whoever reads a job works on it, and another reads on, so that no job is handed over."""

import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Generic, TypeVar

T = TypeVar("T")
# As many jobs at once as the SDK's threads allow.
THREADS = 40


class Readers(Generic[T]):
    """*read* gives the next job and None at the end; *work* does it; *ended* is called at the end, perhaps more than once.

    An OSError in either is the end: whoever is spoken to is gone. So is a fault of ours, which nobody would read after.
    """

    def __init__(self, read: Callable[[], T | None], work: Callable[[T], None], ended: Callable[[], None]) -> None:
        self._read, self._work, self._ended = read, work, ended
        self._turn, self._lock = threading.Lock(), threading.Lock()
        self._waiting: deque[T] = deque()
        self._threads = self._resting = 0

    def begin(self) -> None:
        """Read in one thread more."""
        with self._lock:
            self._threads += 1
        threading.Thread(target=self._serve, name="mcp-daan-reader", daemon=True).start()

    def _serve(self) -> None:
        try:
            with suppress(OSError):
                job = self._next()
                while job is not None:
                    self._work(job)
                    with self._lock:
                        job = self._waiting.popleft() if self._waiting else None
                    job = job or self._next()
        finally:
            self._ended()

    def _next(self) -> T | None:
        """The next job, once it is this thread's turn to read; another thread is seen to that reads on."""
        with self._lock:
            self._resting += 1
        with self._turn:
            while True:
                job = self._read()
                with self._lock:
                    # With every thread at work somebody must read on all the same: what it reads waits.
                    if job is None or self._resting > 1 or self._threads < THREADS:
                        self._resting -= 1
                        alone = job is not None and self._resting == 0
                        break
                    self._waiting.append(job)
        if alone:
            self.begin()
        return job
