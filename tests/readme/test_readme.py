"""The README is true: its commands run, and the output that it shows is the demo's."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.generate import ROOT, walked

README = (ROOT / "README.md").read_text(encoding="utf-8")
BIN = Path(sys.executable).parent
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", README, re.S)
COMMANDS = [
    line.split("#")[0].strip()
    for kind, text in BLOCKS
    if kind == "sh"
    for line in text.splitlines()
    if line.split("#")[0].strip()
]
# Proved elsewhere: CI runs `make test`, which would call itself here, and the wheel's test installs it.
ELSEWHERE = {"make test", "pip install mcp-daan"}


def test_the_two_commands_stand_first() -> None:
    """Whoever opens the page sees how to begin."""
    assert COMMANDS[:2] == ["make demo", "make test"]


@pytest.mark.parametrize(
    "target", ["demo", "test", "test-long", "docs", "wheel", "bundle", "bench", "bench-quick", "bench-growth"]
)
def test_every_target_of_the_makefile_is_known_to_make(target: str) -> None:
    """A dry run expands the rule."""
    done = subprocess.run(["make", "--dry-run", target], cwd=ROOT, capture_output=True, text=True)

    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("command", [each for each in COMMANDS if each.startswith("mcp-daan")])
def test_a_command_of_the_readme_runs(command: str, workspace: Path) -> None:
    """In an empty folder, as on a Monday morning."""
    environment = {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        shlex.split(command), cwd=workspace, env=environment, capture_output=True, text=True, stdin=subprocess.DEVNULL
    )

    assert (done.returncode, "Traceback" in done.stderr) == (0, False), done.stdout + done.stderr


def test_no_other_command_stands_there_unproved() -> None:
    """A new command needs a test."""
    others = [each for each in COMMANDS if not each.startswith("mcp-daan") and each not in ELSEWHERE | {"make demo"}]

    assert others == []


def test_the_output_that_it_shows_is_the_demos(tmp_path: Path) -> None:
    """But for dates, ages and line breaks: run `make docs` after a change."""
    shown = README.split("<!-- demo -->\n")[1].split("<!-- /demo -->")[0]

    assert steady(shown) == steady(walked(tmp_path / "demo"))


def steady(text: str) -> str:
    """*text* without what depends on the day, the folder and the width."""
    text = re.sub(r"\d{4}-\d\d-\d\d(T[\d:]+Z)?|-[0-9a-f]{8}(?=\.md)|\d+ days|every \d+ s", "·", text)
    return re.sub(r"\s+", " ", text)
