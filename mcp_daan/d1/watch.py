"""End what is late."""

import math
import threading
import time
from collections.abc import Callable


class Watch:
    """One thread that ends each piece of work at its time, however many there are; a thread for each would cost more."""

    def __init__(self) -> None:
        self._change = threading.Condition(threading.Lock())
        self._late: dict[Callable[[], None], float] = {}
        # When the thread looks next; never, while there is none.
        self._looks = math.inf

    def begin(self, end: Callable[[], None], at: float) -> None:
        """Call *end*, which must be quick, when `time.monotonic` gives *at*."""
        with self._change:
            self._late[end] = at
            if at < self._looks:
                if self._looks < math.inf:
                    self._change.notify()
                else:
                    threading.Thread(target=self._look, name="watch", daemon=True).start()
                self._looks = at

    def done(self, end: Callable[[], None]) -> None:
        """Do not call *end* any more."""
        with self._change:
            self._late.pop(end, None)

    def _look(self) -> None:
        with self._change:
            while self._late:
                self._looks = min(self._late.values())
                self._change.wait(self._looks - time.monotonic())
                now = time.monotonic()
                for end in [end for end, at in self._late.items() if at <= now]:
                    del self._late[end]
                    end()
            self._looks = math.inf
