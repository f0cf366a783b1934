"""A team's repository: real git, real files."""

import os
import subprocess
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from mcp_daan.app import App
from mcp_daan.knowledge.base import KnowledgeBase
from mcp_daan.knowledge.lessons.appending import Appended, Draft, append
from mcp_daan.protocol import Answer
from mcp_daan.scrub import Secrets
from mcp_daan.toolbox import tools_in
from mcp_daan.tools import lessons
from tests.asking import run

TODAY = date(2026, 11, 22)


class Team:
    """A workspace with a knowledge folder, and what its people do in it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.folder = root / "docs/knowledge/backend"
        self.folder.mkdir(parents=True)
        self.view = self.folder / "LESSONS-LEARNED.md"
        self.app = App(str(root), {"DAAN_NOW": "2026-11-22T12:00:00Z"})

    @property
    def base(self) -> KnowledgeBase:
        """The knowledge base as it is now."""
        return self.app.for_call().knowledge

    def git(self, *arguments: str, day: int = 1) -> str:
        """Run git here; commits are dated *day* November 2026."""
        moment = f"2026-11-{day:02}T12:00:00+0000"
        environment = {**os.environ, "GIT_AUTHOR_DATE": moment, "GIT_COMMITTER_DATE": moment}
        done = subprocess.run(
            ["git", "-C", str(self.root), *arguments], env=environment, capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    def write(self, path: str, text: str) -> Path:
        """Write a file of the workspace."""
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8", newline="")
        return file

    def commit(self, subject: str, day: int = 1) -> str:
        """Commit everything; the full hash."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "-m", subject, day=day)
        return self.git("rev-parse", "HEAD")

    def learn(self, title: str = "Rows are limited", problem: str = "", **more: Any) -> Appended:
        """Append a lesson; without *problem* its text is unlike any other's."""
        words = {"problem": problem or f"{title} was seen.", "solution": f"Mind {title}.", "component": "d1", **more}
        return append(self.base, Draft(title=title, **words), today=TODAY, redact=Secrets().scrub)

    def call(self, tool: str, **arguments: Any) -> Answer:
        """Call a tool as an agent does."""
        return run(tools_in(lessons)[tool], self.app.for_call(), arguments)

    def titles(self, **arguments: Any) -> list[str]:
        """The titles that `lessons_list` gives."""
        return [each["title"] for each in self.call("lessons_list", **arguments).data["lessons"]]


@pytest.fixture
def folder_only(workspace: Path) -> Iterator[Team]:
    """A team without git."""
    team = Team(workspace)
    yield team
    team.app.close()


@pytest.fixture
def team(folder_only: Team) -> Team:
    """A team with a repository on `main` that has one commit."""
    folder_only.git("init", "--quiet", "--initial-branch", "main")
    folder_only.write("docs/knowledge/README.md", "# Ours\n")
    folder_only.commit("Begin")
    return folder_only


@pytest.fixture
def lesson_files(folder_only: Team) -> Callable[[], list[str]]:
    """What stands in the lessons folder, hidden files too."""

    def listed() -> list[str]:
        folder = folder_only.folder / "lessons"
        return sorted(each.name for each in folder.iterdir()) if folder.is_dir() else []

    return listed
