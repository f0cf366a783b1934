"""A team on several machines: clones of one bare repository, real git, real processes."""

import os
import subprocess
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from mcp_daan.app import App
from mcp_daan.knowledge.lessons.appending import Draft, append
from mcp_daan.protocol import Answer
from mcp_daan.scrub import Secrets
from mcp_daan.toolbox import tools_in
from mcp_daan.tools import lessons, validation
from tests.asking import run

TOOLS = tools_in(lessons, validation)
LESSONS = "docs/knowledge/backend/lessons"
VIEW = "docs/knowledge/backend/LESSONS-LEARNED.md"


class Machine:
    """One clone, and what its person and its server do in it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.app = App(str(root), {"DAAN_NOW": "2026-11-22T12:00:00Z"})

    def git(self, *arguments: str) -> str:
        """Run git as the person does."""
        command = ["git", "-C", str(self.root), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    def write(self, path: str, text: str) -> Path:
        """Write a file of the person's."""
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        return file

    def commit(self, path: str, text: str, subject: str = "Work") -> str:
        """Write and commit one file; the commit."""
        self.write(path, text)
        self.git("add", path)
        self.git("commit", "--quiet", "-m", subject)
        return self.git("rev-parse", "HEAD")

    def call(self, tool: str, **arguments: Any) -> Answer:
        """Call a tool as an agent does."""
        return run(TOOLS[tool], self.app.for_call(), arguments)

    def learn(self, title: str, **more: Any) -> Answer:
        """Append a lesson whose text is unlike any other's."""
        words = {"problem": f"{title} was seen.", "solution": f"Mind {title}.", "component": "d1"}
        answer = self.call("lessons_append", title=title, **{**words, **more})
        assert answer.error is None, answer.error
        return answer

    def note(self, title: str) -> str:
        """Write a lesson as a server does that is killed before it shares it; the file's name."""
        draft = Draft(title, f"{title} was seen.", f"Mind {title}.", "d1")
        done = append(self.app.for_call().knowledge, draft, today=date(2026, 11, 22), redact=Secrets().scrub)
        return Path(done.lesson.path).name

    def titles(self) -> list[str]:
        """The titles that `lessons_list` gives, sorted."""
        return sorted(each["title"] for each in self.call("lessons_list", limit=500).data["lessons"])

    def status(self) -> str:
        """What git says is changed."""
        return self.git("status", "--porcelain")

    def files(self, commit: str = "HEAD") -> list[str]:
        """The lesson files of a commit."""
        return self.git("ls-tree", "-r", "--name-only", commit, "--", LESSONS).split()


@pytest.fixture
def remote(tmp_path: Path) -> Path:
    """A bare repository on `main` with a knowledge folder and the setting."""
    bare, first = tmp_path / "remote.git", tmp_path / "first"
    subprocess.run(["git", "init", "--quiet", "--bare", "--initial-branch", "main", str(bare)], check=True)
    subprocess.run(["git", "init", "--quiet", "--initial-branch", "main", str(first)], check=True)
    person = Machine(first)
    person.write("daan.toml", '[knowledge]\nsync = "git"\n')
    person.write("docs/knowledge/backend/README.md", "# Ours\n")
    person.git("add", "--all")
    person.git("commit", "--quiet", "-m", "Begin")
    person.git("push", "--quiet", str(bare), "main")
    return bare


@pytest.fixture
def clone(remote: Path, tmp_path: Path) -> Iterator[Callable[..., Machine]]:
    """Makes clones by name."""
    made: list[Machine] = []

    def make(name: str, *options: str, url: str = "") -> Machine:
        folder = tmp_path / name
        subprocess.run(["git", "clone", "--quiet", *options, url or str(remote), str(folder)], check=True)
        made.append(Machine(folder))
        return made[-1]

    yield make
    for machine in made:
        machine.app.close()


@pytest.fixture
def ann(clone: Callable[..., Machine]) -> Machine:
    """One clone."""
    return clone("ann")


@pytest.fixture
def bob(clone: Callable[..., Machine], ann: Machine) -> Machine:
    """Another clone."""
    return clone("bob")


def in_remote(remote: Path, branch: str = "main") -> list[str]:
    """The lesson files on a branch of the remote."""
    command = ["git", "--git-dir", str(remote), "ls-tree", "-r", "--name-only", branch, "--", LESSONS]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()


def environment(**more: str) -> dict[str, str]:
    """This process's environment with *more*."""
    return {**os.environ, **more}
