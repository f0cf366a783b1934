"""Environments of their own for clients that bring another SDK; made once, for all runs."""

import fcntl
import subprocess
import sys
from pathlib import Path

BUILD = Path(__file__).parents[2] / "build" / "clients"


def environment(name: str, *requirements: str) -> Path:
    """The Python of an environment that holds *requirements*."""
    place = BUILD / name
    BUILD.mkdir(parents=True, exist_ok=True)
    with (BUILD / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        mark = place / "installed"
        if not mark.is_file() or mark.read_text() != " ".join(requirements):
            subprocess.run([sys.executable, "-m", "venv", "--clear", str(place)], check=True)
            subprocess.run([place / "bin" / "python", "-m", "pip", "install", "--quiet", *requirements], check=True)
            mark.write_text(" ".join(requirements))
    return place / "bin" / "python"
