"""The real D1 engine, workerd under miniflare, for tests that hold our files against it."""

import fcntl
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
INSTALLED = HERE.parents[1] / "build" / "node"
PACKAGES = ("package.json", "package-lock.json")
BIN = Path(sys.executable).parent
# Tests have a home of their own; npm's settings are in the real one.
HOME = os.environ.get("HOME", "")


def in_d1(state: Path, database_id: str, *statements: dict[str, Any]) -> list[dict[str, Any]]:
    """What D1 answers to *statements*, {sql, parameters?, session?, raw?}, on the database kept below *state*."""
    done = subprocess.run(
        [BIN / "node", installed() / "d1.mjs", state, database_id],
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
        command = [BIN / "node", installed() / "d1.mjs", state, database_id]
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


def installed() -> Path:
    """The folder in which the npm packages are, installed once for all test processes and all later runs."""
    INSTALLED.parent.mkdir(exist_ok=True)
    wanted = hashlib.sha256(b"".join((HERE / name).read_bytes() for name in PACKAGES)).hexdigest()
    mark = INSTALLED / "installed"
    with (INSTALLED.parent / "node.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not mark.is_file() or mark.read_text() != wanted:
            shutil.rmtree(INSTALLED, ignore_errors=True)
            INSTALLED.mkdir()
            for name in PACKAGES:
                shutil.copy(HERE / name, INSTALLED)
            # Not `npm ci`: it refuses a lock file without the packages of every other platform.
            subprocess.run(
                [BIN / "npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"],
                cwd=INSTALLED,
                env={**os.environ, "HOME": HOME, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"},
                check=True,
                timeout=280,
            )
            mark.write_text(wanted)
        for script in HERE.glob("*.mjs"):
            _copied(script, INSTALLED / script.name)
    return INSTALLED


def _copied(script: Path, place: Path) -> None:
    """*script* beside its packages, where node looks for them; never half of it, for others may run it now."""
    if not place.is_file() or place.read_bytes() != script.read_bytes():
        half = place.with_suffix(".half")
        shutil.copy(script, half)
        half.replace(place)
