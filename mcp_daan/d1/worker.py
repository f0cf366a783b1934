"""The process in which callers' SQL runs: one JSON line in, one JSON line out.

A single SQLite opcode can run for minutes and no handler stops it, so whoever asks may end this process at any
time; it also ends by itself, when its time is over or when whoever started it is gone.
It imports little, since it is started while a caller waits.
"""

import json
import signal
import sys
from contextlib import suppress
from typing import Any

import apsw

from mcp_daan.d1.statement import answer
from mcp_daan.errors import DaanError

# Between the deadline that the statement may keep by itself, and the end of the process.
GRACE_SECONDS = 0.7
HEAP_BYTES = 192 << 20
PROCESS_BYTES = 384 << 20


def main() -> None:
    """Answer requests until standard input ends."""
    # Ctrl-C in a terminal reaches every process of the group: the server decides what ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform != "win32":
        # Whoever started the server may have had it ignored or blocked, which is inherited.
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGALRM})
    _limit_memory()
    for line in sys.stdin.buffer:
        request = json.loads(line)
        _end_after(request["seconds"] + GRACE_SECONDS)
        reply = _reply(request)
        _end_after(0)
        sys.stdout.buffer.write(json.dumps(reply, separators=(",", ":")).encode() + b"\n")
        sys.stdout.buffer.flush()


def _reply(request: dict[str, Any]) -> dict[str, Any]:
    try:
        return {"answer": answer(**request)}
    except DaanError as error:
        return {"failure": [error.code, error.message, error.advice]}
    except Exception as error:  # noqa: BLE001 - a fault of ours must not end the process that tells of it
        place = error.__traceback__
        while place is not None and place.tb_next is not None:
            place = place.tb_next
        where = f"{place.tb_frame.f_code.co_qualname}:{place.tb_lineno}" if place is not None else "?"
        return {"fault": f"{type(error).__name__} at {where}"}


def _end_after(seconds: float) -> None:
    # The signal's default action ends the process even inside an opcode; 0 takes the order back.
    if sys.platform != "win32":
        signal.setitimer(signal.ITIMER_REAL, seconds)


def _limit_memory() -> None:
    apsw.hard_heap_limit(HEAP_BYTES)
    if sys.platform != "win32":
        import resource

        # Not every system takes these; SQLite's own limit above holds everywhere.
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_AS, (PROCESS_BYTES, PROCESS_BYTES))
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


if __name__ == "__main__":
    main()
