"""The conformance suite, run against a server, and the servers that it is run against."""

import os
import re
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

import httpx2

from mcp_daan.demo.workspace import make_workspace
from tests.node.packages import BIN, installed

ROOT = Path(__file__).parents[2]
LINE = re.compile(r"^[✓✗] ([\w.-]+): (\d+) passed, (\d+) failed", re.M)
SKILL = re.compile(r"Passed: (\d+)/(\d+), (\d+) failed, (\d+) warnings")
FIXTURES = [sys.executable, "-m", "tests.conformance.factory"]
PLAIN = [sys.executable, "-m", "mcp_daan", "serve", "--http", "127.0.0.1:0", "--workspace"]
# What asks for nothing that only the suite knows; logging and sessions are not offered.
FREE = {
    "2025-11-25": "server-initialize ping completion-complete tools-list server-sse-multiple-streams resources-list"
    " prompts-list dns-rebinding-protection server-session-lifecycle server-sse-polling".split(),
    "2026-07-28": "completion-complete tools-list server-sse-multiple-streams resources-list"
    " sep-2164-resource-not-found prompts-list dns-rebinding-protection caching http-header-validation"
    " input-required-result-missing-input-response input-required-result-unsupported-methods"
    " input-required-result-ignore-extra-params input-required-result-validate-input".split(),
}
SKILLS = [f"sep-2640-skills-{part}" for part in ("enumeration", "manifest", "directory")]


@contextmanager
def serving(command: list[str], workspace: Path) -> Iterator[str]:
    """The address of a server that *command* starts."""
    with tempfile.TemporaryFile("w+") as said:
        process = subprocess.Popen([*command, str(workspace)], cwd=ROOT, stderr=said)
        try:
            yield address(process, said)
        finally:
            process.terminate()
            assert process.wait(timeout=20) == 0


def address(process: subprocess.Popen[bytes], said: IO[str]) -> str:
    """Where the server says that it serves."""
    pause = threading.Event()
    while process.poll() is None:
        said.seek(0)
        found = re.search(r"http://\S+/mcp", said.read())
        if found and serves(found[0].replace("/mcp", "/healthz")):
            return found[0]
        pause.wait(0.02)
    said.seek(0)
    raise AssertionError(said.read())


def serves(url: str) -> bool:
    try:
        return httpx2.get(url, timeout=5).status_code == 200
    except httpx2.HTTPError:
        return False


@contextmanager
def workspace() -> Iterator[Path]:
    """A demo workspace."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder).resolve() / "demo"
        make_workspace(root, datetime.now(UTC))
        yield root


def run(packages: str, url: str, *arguments: str) -> tuple[int, str]:
    """The suite's exit code and what it printed; *packages* is the set that holds the suite."""
    script = installed(packages) / "node_modules/@modelcontextprotocol/conformance/dist/index.js"
    with tempfile.TemporaryDirectory() as folder:
        command = [BIN / "node", script, "server", "--url", url, *arguments, "-o", folder]
        done = subprocess.run(command, capture_output=True, text=True, timeout=100, env={**os.environ, "NO_COLOR": "1"})
    return done.returncode, done.stdout


def counts(printed: str) -> dict[str, tuple[int, int]]:
    """How many checks of each scenario passed and failed."""
    return {name: (int(passed), int(failed)) for name, passed, failed in LINE.findall(printed)}


def scored(printed: str) -> dict[str, tuple[int, int]]:
    """The same, of the scenarios that count: those that are not listed again as not scored."""
    rest = set(re.findall(r"^\s+[✓✗] ([\w.-]+) \(", printed, re.M))
    return {name: count for name, count in counts(printed).items() if name not in rest}


def totals(found: dict[str, tuple[int, int]]) -> str:
    """In a few words."""
    passed, failed = (sum(count[at] for count in found.values()) for at in (0, 1))
    whole = sum(count[1] == 0 for count in found.values())
    return f"{whole}/{len(found)} scenarios, {passed} checks passed, {failed} failed"
