"""The extra `semantic`, installed apart from everything else: other tests run without it, as most people do."""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
LOCK = ROOT / "requirements-semantic.txt"
PLACE = ROOT / "build" / "semantic"


def installed() -> Path:
    """The folder with the extra's packages, installed once for all processes and runs."""
    PLACE.parent.mkdir(exist_ok=True)
    wanted = hashlib.sha256(LOCK.read_bytes()).hexdigest()
    mark = PLACE / "installed"
    with PLACE.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not mark.is_file() or mark.read_text() != wanted:
            shutil.rmtree(PLACE, ignore_errors=True)
            options = ("--quiet", "--disable-pip-version-check", "--no-deps", "--require-hashes")
            command = [sys.executable, "-m", "pip", "install", *options, "--target", str(PLACE), "-r", str(LOCK)]
            subprocess.run(command, check=True, timeout=280)
            mark.write_text(wanted)
    return PLACE


def environment(*first: Path) -> dict[str, str]:
    """The test's environment with the extra in it, behind the folders that come *first*."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (*first, installed(), ROOT)))}


def run(code: str, *arguments: str, env: dict[str, str], cwd: Path = ROOT) -> str:
    """What the Python *code* prints, in a process of its own."""
    command = [sys.executable, "-P", "-W", "error", "-c", code, *arguments]
    done = subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout
