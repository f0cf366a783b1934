"""The process of one errand: a JSON request in, JSON lines out, within bounds of time and memory.

It imports little, since it is started while a caller waits.
"""

import json
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import apsw

from mcp_daan.errors import DaanError

GRACE_SECONDS = 0.8
HEAP_BYTES = 192 << 20
PROCESS_BYTES = 384 << 20
Told = Iterator[dict[str, Any]]


def main() -> None:
    """Do the errand that the command line names."""
    # Ctrl-C in a terminal reaches every process of the group: the server decides what ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    request = json.load(sys.stdin.buffer)
    _bound(request["seconds"] + GRACE_SECONDS)
    for told in _told(_task(sys.argv[1]), request):
        sys.stdout.write(json.dumps(told, separators=(",", ":")) + "\n")
        sys.stdout.flush()


def _task(name: str) -> Callable[..., Told]:
    if name == "explanation":
        from mcp_daan.d1.explaining.explanation import explanation

        return explanation
    if name == "rehearsal":
        from mcp_daan.d1.rehearsals.trial import rehearse

        return rehearse
    from mcp_daan.d1.health.examination import examine

    return examine


def _told(task: Callable[..., Told], request: dict[str, Any]) -> Told:
    try:
        yield from task(**request)
        yield {"end": True}
    except DaanError as error:
        yield {"failure": [error.code, error.message, error.advice]}
    except Exception as error:  # noqa: BLE001 - a fault of ours must not end the process that tells of it
        place = error.__traceback__
        while place is not None and place.tb_next is not None:
            place = place.tb_next
        where = f"{place.tb_frame.f_code.co_qualname}:{place.tb_lineno}" if place is not None else "?"
        yield {"fault": f"{type(error).__name__} at {where}"}


def _bound(seconds: float) -> None:
    """End this process after *seconds*, even inside an opcode, and before it takes more memory than it may."""
    apsw.hard_heap_limit(HEAP_BYTES)
    if sys.platform == "win32":
        return
    import resource

    # Whoever started the server may have had it ignored or blocked, which is inherited.
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGALRM})
    signal.setitimer(signal.ITIMER_REAL, seconds)
    # Not every system takes these; SQLite's own limit above holds everywhere.
    for limit, value in ((resource.RLIMIT_AS, PROCESS_BYTES), (resource.RLIMIT_CORE, 0)):
        with suppress(ValueError, OSError):
            resource.setrlimit(limit, (value, value))


if __name__ == "__main__":
    main()
