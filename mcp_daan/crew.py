"""Sources are asked side by side within one deadline; who hangs holds up neither the others nor the answer."""

import contextvars
import logging
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, wait
from typing import Generic, TypeVar

from mcp_daan.stopping import Stop, current, stoppable

log = logging.getLogger("mcp_daan")
T = TypeVar("T")


class Crew(Generic[T]):
    """One thread a source. A source that still hangs from an earlier time is not asked again: threads never pile up."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._busy: dict[str, threading.Thread] = {}

    def gather(self, jobs: Mapping[str, Callable[[], T]], *, seconds: float) -> dict[str, T]:
        """The result of each job that ended within *seconds*; the others are told to stop and left out."""
        started = {name: each for name, job in jobs.items() if (each := self._start(name, job)) is not None}
        until = time.monotonic() + seconds

        def stop() -> None:
            for _, one in started.values():
                one.now()

        with stoppable(stop):
            wait([future for future, _ in started.values()], timeout=until - time.monotonic())
        done = {
            name: future.result() for name, (future, _) in started.items() if future.done() and not future.cancelled()
        }
        stop()
        return done

    def _start(self, name: str, job: Callable[[], T]) -> tuple[Future[T], Stop] | None:
        future: Future[T] = Future()
        stop = Stop()
        context = contextvars.copy_context()
        context.run(current.set, stop)

        def work() -> None:
            try:
                future.set_result(context.run(job))
            finally:
                # Whatever broke it, nobody shall wait for it.
                if not future.done():
                    future.cancel()
                    future.set_running_or_notify_cancel()

        with self._lock:
            before = self._busy.get(name)
            if before is not None and before.is_alive():
                log.warning("%s has not come back since an earlier call", name)
                return None
            thread = threading.Thread(target=work, name=f"mcp-daan-{name}", daemon=True)
            self._busy[name] = thread
            thread.start()
        return future, stop
