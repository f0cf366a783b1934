"""Work that may outlast any deadline, done in a process of its own that tells what it has found while it runs."""

import json
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from mcp_daan.d1.pool import VARIABLES, failure
from mcp_daan.errors import InternalError, Unavailable
from mcp_daan.stopping import stoppable

log = logging.getLogger("mcp_daan")

# After the process's own deadline: it stops by itself wherever SQLite lets it.
GRACE_SECONDS = 1.0


def told(
    task: str, request: Mapping[str, Any], *, seconds: float, folder: Path | None = None
) -> Iterator[dict[str, Any]]:
    """What a process of its own tells of *task*, one object after the other, for at most *seconds*.

    It ends early when it is out of time or of memory: only a last object `{"end": true}` says that it ran through.
    What SQLite keeps on disk meanwhile goes to *folder*. Raises the failure that the process tells of.
    """
    with _started(task, folder) as process:
        watch = threading.Timer(seconds + GRACE_SECONDS, process.kill)
        watch.daemon = True
        watch.start()
        try:
            with stoppable(process.kill):
                yield from map(_unpacked, _lines(process, {**request, "seconds": seconds}))
        finally:
            watch.cancel()
            process.kill()


def _started(task: str, folder: Path | None) -> subprocess.Popen[bytes]:
    # No other variable of the server's is passed on: its environment holds secrets.
    environment = {name: os.environ[name] for name in VARIABLES if name in os.environ}
    if folder is not None:
        environment["SQLITE_TMPDIR"] = str(folder)
    try:
        return subprocess.Popen(
            [sys.executable, "-P", "-m", "mcp_daan.d1.errand", task],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**environment, "MALLOC_ARENA_MAX": "1", "PYTHONUTF8": "1"},
        )
    except OSError:
        raise Unavailable("The process could not be started.", advice="Look at the machine's limits.") from None


def _lines(process: subprocess.Popen[bytes], request: Mapping[str, Any]) -> Iterator[bytes]:
    stdin, stdout = process.stdin, process.stdout
    assert stdin is not None
    assert stdout is not None
    with suppress(BrokenPipeError):  # it ended before it read all; what it told until then is read below
        stdin.write(json.dumps(request).encode())
    with suppress(BrokenPipeError):
        stdin.close()
    for line in stdout:
        if line.endswith(b"\n"):
            yield line


def _unpacked(line: bytes) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(line)
    if "failure" in found:
        raise failure(found["failure"])
    if "fault" in found:
        log.error("a process apart failed: %s", found["fault"])
        raise InternalError("The server failed at this database.", advice="Report it.")
    return found
