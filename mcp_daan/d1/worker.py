"""The process in which callers' SQL runs: one JSON line in, one JSON line out.

A single SQLite opcode can run for minutes and no handler stops it, so whoever asks may end this process at any
time; it also ends by itself, when its time is over or when whoever started it is gone.
It imports little, since it is started while a caller waits.
"""

import json
import sys
from collections.abc import Callable
from typing import Any

from mcp_daan.d1.bounds import end_after, fault, prepare
from mcp_daan.d1.remote.judgement import judgement, proposals
from mcp_daan.d1.statement import answer
from mcp_daan.errors import DaanError

# Between the deadline that the statement may keep by itself, and the end of the process.
GRACE_SECONDS = 0.7
TASKS: dict[str, Callable[..., object]] = {"answer": answer, "judgement": judgement, "proposals": proposals}


def main() -> None:
    """Answer requests until standard input ends."""
    prepare()
    for line in sys.stdin.buffer:
        request = json.loads(line)
        end_after(request["seconds"] + GRACE_SECONDS)
        reply = _reply(request)
        end_after(0)
        sys.stdout.buffer.write(json.dumps(reply, separators=(",", ":")).encode() + b"\n")
        sys.stdout.buffer.flush()


def _reply(request: dict[str, Any]) -> dict[str, Any]:
    try:
        return {"answer": TASKS[request.pop("task", "answer")](**request)}
    except DaanError as error:
        return {"failure": [error.code, error.message, error.advice, error.retryable]}
    except Exception as error:  # noqa: BLE001 - a fault of ours must not end the process that tells of it
        return {"fault": fault(error)}


if __name__ == "__main__":
    main()
