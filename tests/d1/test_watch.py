"""Work is ended at its time, and only then."""

import threading
import time

from mcp_daan.d1.watch import Watch

from .test_pool import wait_until


def test_what_comes_later_is_ended_first_if_its_time_is_sooner() -> None:
    """The thread that waits for one looks at the other in time."""
    watch, late, waits, soon = Watch(), threading.Event(), threading.Event(), threading.Event()
    watch.begin(late.set, time.monotonic() + 600)
    watch.begin(waits.set, time.monotonic())
    assert waits.wait(10)
    watch.begin(soon.set, time.monotonic() + 0.05)

    assert (soon.wait(10), late.is_set()) == (True, False)


def test_what_is_done_is_not_ended_any_more() -> None:
    """A worker that answered serves the next."""
    watch, ended = Watch(), threading.Event()

    def end() -> None:
        ended.set()

    watch.begin(end, time.monotonic() + 0.2)
    watch.done(end)

    assert not ended.wait(0.5)


def test_the_thread_ends_with_the_work_and_comes_again() -> None:
    """A pool at rest has none."""
    watch, ended, before = Watch(), threading.Event(), set(threading.enumerate())
    for _ in range(2):
        watch.begin(ended.set, time.monotonic())
        assert ended.wait(10)
        assert wait_until(lambda: set(threading.enumerate()) <= before)
        ended.clear()
