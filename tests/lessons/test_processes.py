"""Many processes write at once, some are killed: nothing acknowledged is lost, nothing is torn, nobody is blocked."""

import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from mcp_daan.knowledge.lessons.lessons import parse, read_lessons

WRITER = Path(__file__).with_name("writer.py")
ROOT = Path(__file__).parents[2]


def start(workspace: Path, name: str, count: int, force: str = "") -> subprocess.Popen[str]:
    """A process that writes *count* lessons; without a *name* they are the same for everybody."""
    command = [sys.executable, str(WRITER), str(workspace), name, str(count), force]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def acknowledged(process: subprocess.Popen[str]) -> list[str]:
    """The ids that the process was told are written; the rest of what it says must be conflicts."""
    output, errors = process.communicate(timeout=100)
    said = [line.split() for line in output.splitlines()]

    assert errors == ""
    assert {tuple(each) for each in said if each[0] != "complete"} <= {("failed", "conflict")}
    return [each[1] for each in said if each[0] == "complete"]


def files(team) -> list[Path]:
    """Every file in the lessons folder, hidden ones too."""
    return sorted((team.folder / "lessons").iterdir())


def test_sixteen_writers_lose_nothing_and_tear_nothing(folder_only) -> None:
    """Every acknowledged lesson is there, once, and the view shows it."""
    writers = [start(folder_only.root, f"w{number}x", 6) for number in range(16)]
    ids = [each for writer in writers for each in acknowledged(writer)]

    assert len(ids) == 16 * 6
    assert sorted(each.id for each in read_lessons(folder_only.base)) == sorted(ids)
    assert all(parse(file.read_text(), file.name) is not None for file in files(folder_only))
    folder_only.titles()
    assert folder_only.view.read_text().count("\n### ") == 16 * 6


@pytest.mark.parametrize("force", ["", "force"])
def test_the_same_lesson_from_sixteen_writers_is_written_once(folder_only, force: str) -> None:
    """The others are told of the one that was first; force makes no difference to what is the same."""
    writers = [start(folder_only.root, "", 1, force) for _ in range(16)]
    ids = [each for writer in writers for each in acknowledged(writer)]

    assert len(ids) == 1
    assert len(files(folder_only)) == 1


def test_near_duplicates_at_the_same_moment_cannot_all_pass(folder_only) -> None:
    """They differ by their number only, so one of them is the twin of the others."""
    writers = [start(folder_only.root, "", 2) for _ in range(8)]
    ids = [each for writer in writers for each in acknowledged(writer)]

    assert len(ids) == 1
    assert len(read_lessons(folder_only.base)) == 1


def test_killing_writers_at_any_moment_loses_no_acknowledged_lesson(folder_only) -> None:
    """SIGKILL twenty times: what was acknowledged is there, no file is torn, no lock stays, no rest stays."""
    chance = random.Random(7)
    known: set[str] = set()
    for number in range(20):
        writers = [start(folder_only.root, f"k{number}y{each}z", 500) for each in range(2)]
        for writer in writers:
            assert writer.stdout is not None
            for _ in range(chance.randrange(1, 4)):
                known.add(writer.stdout.readline().split()[1])
        for writer in writers:
            writer.kill()
            rest, _ = writer.communicate()
            known |= {line.split()[1] for line in rest.splitlines(keepends=True) if line.endswith("\n")}

        names = [file for file in files(folder_only) if not file.name.startswith(".")]
        assert [file.name for file in names if parse(file.read_text(), file.name) is None] == []

    found = {each.id for each in read_lessons(folder_only.base)}
    assert known <= found
    folder_only.learn("Afterwards")
    assert [file.name for file in files(folder_only) if file.name.startswith(".")] == []
