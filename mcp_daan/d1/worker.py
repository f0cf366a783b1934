"""The process in which callers' SQL runs: one JSON line in, one out; rows follow on it, behind a tab, which JSON has none of.

A single SQLite opcode can run for minutes and no handler stops it, so whoever asks may end this process at any
time; it also ends by itself, when its time is over or when whoever started it is gone.
It imports little, since it is started while a caller waits: not even dataclasses, which load `inspect`.
"""

import gc
import json
import select
import sys
from collections.abc import Callable
from typing import Any

from mcp_daan.d1.bounds import end_after, fault, prepare
from mcp_daan.d1.keeping import Keeper
from mcp_daan.d1.statement import answer
from mcp_daan.errors import DaanError

# Between the deadline that the statement may keep by itself, and the end of the process.
GRACE_SECONDS = 0.7
# A file that nobody asks about is let go: who replaces, moves or deletes it shall not find it in use.
IDLE_SECONDS = 1.0


def main() -> None:
    """Answer requests until standard input ends."""
    prepare()
    # What was imported stays: it need not be looked through for what is no longer in use.
    gc.freeze()
    files = Keeper()
    while line := _line(files):
        request = json.loads(line)
        end_after(request["seconds"] + GRACE_SECONDS)
        reply = _reply(files, request)
        end_after(0)
        sys.stdout.buffer.write(reply.encode() + b"\n")
        sys.stdout.buffer.flush()


def _line(files: Keeper) -> bytes:
    # Windows can wait for no pipe, and lets nobody replace a file that is open.
    if files.holds and (sys.platform == "win32" or not select.select([sys.stdin], [], [], IDLE_SECONDS)[0]):
        files.let_go()
    return sys.stdin.buffer.readline()


def _reply(files: Keeper, request: dict[str, Any]) -> str:
    task = request.pop("task", "answer")
    try:
        if task != "answer":
            return _json({"answer": _task(task)(**request)})
        told, rows = answer(files, **request)
        return f'{{"answer":{told}}}\t{rows}'
    except DaanError as error:
        return _json({"failure": [error.code, error.message, error.advice, error.retryable]})
    except Exception as error:  # noqa: BLE001 - a fault of ours must not end the process that tells of it
        return _json({"fault": fault(error)})


def _task(name: str) -> Callable[..., object]:
    # For remote databases only.
    from mcp_daan.d1.remote import judgement

    tasks: dict[str, Callable[..., object]] = {"judgement": judgement.judgement, "proposals": judgement.proposals}
    return tasks[name]


def _json(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))
