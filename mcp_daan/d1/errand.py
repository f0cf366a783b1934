"""The process of one errand: a JSON request in, JSON lines out, within bounds of time and memory.

It imports little, since it is started while a caller waits.
"""

import json
import sys
from collections.abc import Callable, Iterator
from typing import Any

from mcp_daan.d1.bounds import end_after, fault, prepare
from mcp_daan.errors import DaanError

GRACE_SECONDS = 0.8
Told = Iterator[dict[str, Any]]


def main() -> None:
    """Do the errand that the command line names."""
    prepare()
    request = json.load(sys.stdin.buffer)
    end_after(request["seconds"] + GRACE_SECONDS)
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
        yield {"failure": [error.code, error.message, error.advice, error.retryable]}
    except Exception as error:  # noqa: BLE001 - a fault of ours must not end the process that tells of it
        yield {"fault": fault(error)}


if __name__ == "__main__":
    main()
