"""Many branches and many commits: everything is found, and asked of git only when something moved."""

import shutil
import subprocess
from pathlib import Path

import pytest

from bench.branches import BRANCHES, COMMITS, looked, made
from mcp_daan.knowledge.branches import branch_lessons, foreign_lessons
from mcp_daan.knowledge.remembering import forget
from mcp_daan.workspace import cache_folder
from tests.lessons.test_branches import rows


def test_no_lesson_is_left_out_however_many_branches_have_one(workspace: Path) -> None:
    """260 branches: more than the commits that are shown; each lesson has its commit, none counts as merged."""
    from mcp_daan.app import App

    made(workspace, 1040, 260)
    app = App(str(workspace), {})
    found = branch_lessons(app.knowledge, "nothing matches this")
    lessons = foreign_lessons(app.knowledge, [])
    app.close()

    assert len({each.branch for each in found}) == len(found) == 260
    assert [each for each in lessons if each.commit is None] == []


def test_what_moved_since_is_seen_at_once(team) -> None:
    """A commit on another branch, a new branch, a checkout, another lesson at hand."""
    team.git("checkout", "--quiet", "-b", "feature")
    team.learn("Tokens rotate")
    team.commit("auth lesson", day=3)
    team.git("checkout", "--quiet", "main")
    assert [row[0] for row in rows(team)] == ["feature"]
    team.git("branch", "copy", "feature")
    team.git("checkout", "--quiet", "feature")
    team.commit("auth again", day=4)
    assert [(row[1], row[3]) for row in rows(team)] == [("auth again", False), ("auth lesson", False)]
    team.git("checkout", "--quiet", "main")
    assert [row[1] for row in rows(team)] == ["auth lesson", "auth again"]
    team.learn("Tokens rotate")

    assert [(row[1], row[2]) for row in rows(team)] == [("auth again", None), ("auth lesson", None)]


def test_a_torn_or_deleted_cache_is_made_anew(team) -> None:
    """It is believed only when it is whole."""
    team.git("checkout", "--quiet", "-b", "feature")
    team.learn("Tokens rotate")
    team.commit("auth lesson", day=3)
    team.git("checkout", "--quiet", "main")
    expected = rows(team)
    folder = cache_folder() / "branches"
    for file in folder.iterdir():
        file.write_bytes(file.read_bytes()[:-5] + b"wrong")
    forget()
    assert rows(team) == expected
    shutil.rmtree(folder)
    forget()
    assert rows(team) == expected
    shutil.rmtree(folder)
    folder.write_text("a file in its place")
    forget()

    assert rows(team) == expected


def test_the_cache_holds_no_more_than_it_may(team, monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest answers go."""
    monkeypatch.setattr("mcp_daan.knowledge.remembering.KEPT", 6)
    for number in range(5):
        team.commit(f"auth {number}", day=3)
        rows(team)

    assert len(list((cache_folder() / "branches").iterdir())) <= 6


@pytest.mark.long
@pytest.mark.timeout(300)
def test_forty_thousand_commits_and_nine_hundred_branches(workspace: Path) -> None:
    """Under two seconds cold, under a tenth warm; the best of three, since others may be at work here."""
    made(workspace)
    cold, warm = [], []
    for _ in range(3):
        forget()
        shutil.rmtree(cache_folder() / "branches", ignore_errors=True)
        cold.append(looked(workspace))
        warm.append(looked(workspace))

    assert {each[2] for each in cold + warm} == {BRANCHES}
    count = subprocess.check_output(["git", "-C", workspace, "rev-list", "--all", "--count"])
    assert int(count) > COMMITS - BRANCHES
    assert min(each[0] for each in cold) < 2
    assert min(each[0] for each in warm) < 0.1
