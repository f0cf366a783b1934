"""The real D1 engine, workerd under miniflare, for tests that hold our files against it."""

import json
import os
import signal
import subprocess
from pathlib import Path
from typing import Any

from tests.node.packages import BIN, installed


def in_d1(state: Path, database_id: str, *statements: dict[str, Any]) -> list[dict[str, Any]]:
    """What D1 answers to *statements*, {sql, parameters?, session?, raw?}, on the database kept below *state*."""
    done = subprocess.run(
        [BIN / "node", installed("engine") / "d1.mjs", state, database_id],
        input="".join(json.dumps(each) + "\n" for each in statements),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.split("\n") if line]


class Engine:
    """D1 that keeps running, as under `wrangler dev`."""

    def __init__(self, state: Path, database_id: str) -> None:
        command = [BIN / "node", installed("engine") / "d1.mjs", state, database_id]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, sql: str) -> dict[str, Any]:
        """What D1 answers to one statement."""
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        stdin.write(json.dumps({"sql": sql}) + "\n")
        stdin.flush()
        answer: dict[str, Any] = json.loads(stdout.readline())
        return answer

    def kill(self) -> None:
        """End workerd, which holds the file, without a chance to tidy up."""
        listed = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
        parents = {int(child): int(parent) for child, parent in map(str.split, listed.splitlines())}
        below = [self._process.pid]
        for process in below:
            below += [child for child, parent in parents.items() if parent == process]
        # From the outside in: node would start workerd again.
        for process in below:
            os.kill(process, signal.SIGKILL)
        self._process.communicate()

    def end(self) -> None:
        """End it all: without more to read, the script ends workerd and then itself."""
        if self._process.stdin is not None and not self._process.stdin.closed:
            self._process.communicate(timeout=30)
