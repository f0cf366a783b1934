"""How much one caller may ask: so many requests a minute, so many at once. Each process counts for itself."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from mcp_daan.config import Http

# Beyond so many callers, those whose bucket is full again are forgotten.
MOST = 10_000


class Limited(Exception):
    """The caller has had enough for now; `limit` says of what."""

    def __init__(self, limit: str, seconds: float) -> None:
        super().__init__(limit)
        self.limit, self.seconds = limit, seconds


class Limits:
    """A bucket of requests, and what runs, for each caller."""

    def __init__(self, settings: Http, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._per_second = settings.requests_per_minute / 60
        self._burst = float(settings.burst)
        self._most = {"concurrency": settings.concurrency, "streams": settings.streams}
        self._buckets: dict[str, tuple[float, float]] = {}
        self._running: Counter[tuple[str, str]] = Counter()

    def take(self, caller: str) -> None:
        """Count one request of *caller*. Raises Limited when its bucket is empty."""
        now = self._clock()
        left, at = self._buckets.get(caller, (self._burst, now))
        left = min(self._burst, left + (now - at) * self._per_second)
        if left < 1:
            self._buckets[caller] = left, now
            raise Limited("rate", (1 - left) / self._per_second)
        self._buckets[caller] = left - 1, now
        if len(self._buckets) > MOST:
            self._forget(now)

    @contextmanager
    def running(self, caller: str, kind: str) -> Iterator[None]:
        """While inside, a request of *kind*, `concurrency` or `streams`, runs. Raises Limited when too many do."""
        key = (kind, caller)
        if self._running[key] >= self._most[kind]:
            raise Limited(kind, 1.0)
        self._running[key] += 1
        try:
            yield
        finally:
            self._running[key] -= 1
            if not self._running[key]:
                del self._running[key]

    def _forget(self, now: float) -> None:
        full = self._burst / self._per_second
        self._buckets = {caller: (left, at) for caller, (left, at) in self._buckets.items() if now - at < full}
