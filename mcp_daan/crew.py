"""Sources are asked side by side within one deadline; who hangs holds up neither the others nor the answer."""

import contextvars
import logging
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future, wait
from typing import Generic, TypeVar

from mcp_daan.stopping import Stop, current, stoppable

log = logging.getLogger("mcp_daan")
T = TypeVar("T")


class Crew(Generic[T]):
    """One thread a source and call. What hangs since an earlier call is not asked again: threads never pile up."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._hanging: dict[str, threading.Thread] = {}

    def gather(self, jobs: Mapping[str, Callable[[], T]], *, seconds: float) -> dict[str, T]:
        """The result of each job that ended within *seconds*; the others are told to stop and left out."""
        started = {name: _Work(name, job) for name, job in jobs.items() if not self._hangs(name)}

        def stop() -> None:
            for work in started.values():
                work.stop.now()

        with stoppable(stop):
            wait([work.future for work in started.values()], timeout=seconds)
        done = {name: work for name, work in started.items() if work.future.done()}
        stop()
        with self._lock:
            self._hanging |= {name: work.thread for name, work in started.items() if name not in done}
        return {name: work.future.result() for name, work in done.items() if not work.future.cancelled()}

    def _hangs(self, name: str) -> bool:
        with self._lock:
            before = self._hanging.get(name)
        if before is None or not before.is_alive():
            return False
        log.warning("%s has not come back since an earlier call", name)
        return True


class _Work(Generic[T]):
    """One job in a thread of its own, with a way to stop it."""

    def __init__(self, name: str, job: Callable[[], T]) -> None:
        self.future: Future[T] = Future()
        self.stop = Stop()
        context = contextvars.copy_context()
        context.run(current.set, self.stop)
        self.thread = threading.Thread(target=self._run, args=(context, job), name=f"mcp-daan-{name}", daemon=True)
        self.thread.start()

    def _run(self, context: contextvars.Context, job: Callable[[], T]) -> None:
        try:
            self.future.set_result(context.run(job))
        finally:
            # Whatever broke it, nobody shall wait for it.
            if not self.future.done():
                self.future.cancel()
                self.future.set_running_or_notify_cancel()
