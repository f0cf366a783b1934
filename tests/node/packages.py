"""npm packages for tests: a set a folder, each installed once, by Node from PyPI."""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
BUILD = HERE.parents[1] / "build" / "node"
BIN = Path(sys.executable).parent
PACKAGES = ("package.json", "package-lock.json")
# Tests have a home of their own; npm's settings are in the real one.
HOME = os.environ.get("HOME", "")


def installed(name: str) -> Path:
    """The folder with the packages of the set *name* and its scripts, installed once for all processes and runs."""
    source, place = HERE / name, BUILD / name
    BUILD.mkdir(parents=True, exist_ok=True)
    wanted = hashlib.sha256(b"".join((source / each).read_bytes() for each in PACKAGES)).hexdigest()
    mark = place / "installed"
    with (BUILD / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not mark.is_file() or mark.read_text() != wanted:
            shutil.rmtree(place, ignore_errors=True)
            place.mkdir()
            for each in PACKAGES:
                shutil.copy(source / each, place)
            # Not `npm ci`: it refuses a lock file without the packages of every other platform.
            subprocess.run(
                [BIN / "npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"],
                cwd=place,
                env={**os.environ, "HOME": HOME, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"},
                check=True,
                timeout=280,
            )
            mark.write_text(wanted)
        for script in source.glob("*.mjs"):
            _copied(script, place / script.name)
    return place


def _copied(script: Path, place: Path) -> None:
    """*script* beside its packages, where node looks for them; never half of it, for others may run it now."""
    if not place.is_file() or place.read_bytes() != script.read_bytes():
        half = place.with_suffix(".half")
        shutil.copy(script, half)
        half.replace(place)
