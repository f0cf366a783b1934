"""A call that nobody waits for any more: what works for it is ended, wherever it has got to."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from mcp_daan.errors import Unavailable


class Stop:
    """The end of one call, before its time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ends: list[Callable[[], None]] = []
        self._stopped = False

    def now(self) -> None:
        """End what works for the call, and what would begin to."""
        with self._lock:
            self._stopped = True
            for end in self._ends:
                end()

    @property
    def stopped(self) -> bool:
        """Whether nobody waits for the call any more."""
        return self._stopped

    def check(self) -> None:
        """Raises Unavailable once the call was stopped; nobody reads it."""
        if self._stopped:
            raise Unavailable("The call was cancelled.", advice="Call again.")

    @contextmanager
    def ending(self, end: Callable[[], None]) -> Iterator[None]:
        """While inside, stopping the call runs *end*, which must be quick and harmless when all is over."""
        with self._lock:
            self.check()
            self._ends.append(end)
        try:
            yield
        finally:
            with self._lock:
                self._ends.remove(end)


# Threads that work for a call inherit it.
current: ContextVar[Stop] = ContextVar("stop")


@contextmanager
def stoppable(end: Callable[[], None]) -> Iterator[None]:
    """While inside, cancelling the call that this thread works for runs *end*; outside of a call nothing does."""
    stop = current.get(None)
    if stop is None:
        yield
    else:
        with stop.ending(end):
            yield


def pause(seconds: float) -> None:
    """Wait *seconds*. Raises Unavailable as soon as the call that this thread works for is cancelled."""
    over = threading.Event()
    with stoppable(over.set):
        over.wait(seconds)
    stop = current.get(None)
    if stop is not None:
        stop.check()
