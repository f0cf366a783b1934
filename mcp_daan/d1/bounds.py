"""Bounds of a process that runs statements: how long it may live and how much memory it may take."""

import signal
import sys
from contextlib import suppress

import apsw

HEAP_BYTES = 192 << 20
PROCESS_BYTES = 384 << 20


def prepare() -> None:
    """Leave ending to whoever started this process, and take no more memory than it may."""
    # Ctrl-C in a terminal reaches every process of the group: the server decides what ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    apsw.hard_heap_limit(HEAP_BYTES)
    if sys.platform == "win32":
        return
    import resource

    # Whoever started the server may have had it ignored or blocked, which is inherited.
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGALRM})
    # Not every system takes these; SQLite's own limit above holds everywhere.
    for limit, value in ((resource.RLIMIT_AS, PROCESS_BYTES), (resource.RLIMIT_CORE, 0)):
        with suppress(ValueError, OSError):
            resource.setrlimit(limit, (value, value))


def end_after(seconds: float) -> None:
    """End this process after *seconds*, even inside an opcode; 0 takes the order back."""
    if sys.platform != "win32":
        signal.setitimer(signal.ITIMER_REAL, seconds)


def fault(error: Exception) -> str:
    """What kind of fault *error* is and where: never its text, which may hold a value."""
    place = error.__traceback__
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    where = f"{place.tb_frame.f_code.co_qualname}:{place.tb_lineno}" if place is not None else "?"
    return f"{type(error).__name__} at {where}"
