"""Lessons and commits of other branches, and plain merges that never conflict."""

import shutil
import subprocess
from pathlib import Path

import pytest

from mcp_daan.errors import Unavailable
from mcp_daan.knowledge.branches import BranchLesson, branch_lessons, foreign_lessons
from mcp_daan.knowledge.lessons.lessons import read_lessons
from mcp_daan.knowledge.remembering import forget
from mcp_daan.workspace import cache_folder

GREP = r"worker\|D1\|OAuth\|migration\|auth"


def rows(team, grep: str = GREP) -> list[tuple[str, str, str | None, bool]]:
    """(branch, subject, path, missing) of what the branches hold."""
    return [(each.branch, each.subject, each.path, each.missing) for each in branch_lessons(team.base, grep)]


def test_two_branches_that_learn_merge_without_conflict_and_lose_nothing(team) -> None:
    """Each appends, lists, commits everything; main merges both by plain git and its view mends itself."""
    team.learn("Before")
    team.titles()
    team.commit("A lesson of main")
    for branch in ("one", "two"):
        team.git("checkout", "--quiet", "-b", branch, "main")
        for number in range(20):
            words = " ".join(f"{each}{branch}" for each in range(number, number + 3))
            team.learn(f"{branch} {number} {words}", solution=f"Solved by {words}", force=True)
            team.titles()
        team.learn("The same on both", problem="Both saw it.")
        team.commit(f"Lessons of {branch}")
    team.git("checkout", "--quiet", "main")
    team.git("merge", "--quiet", "--no-edit", "one")
    assert len(team.titles(limit=100)) == 22
    team.commit("View")
    team.git("merge", "--quiet", "--no-edit", "two")

    titles = team.titles(limit=100)
    assert len(titles) == 42
    assert len(set(titles)) == 42
    text = team.view.read_text()
    assert [title for title in titles if f"\n### {title}\n" not in text] == []
    assert len(list((team.folder / "lessons").glob("*-the-same-on-both-*"))) == 1
    assert team.git("status", "--porcelain") == "M docs/knowledge/backend/LESSONS-LEARNED.md"


def test_a_merge_request_merged_elsewhere_shows_after_the_pull(team, tmp_path: Path) -> None:
    """The view is healed by whoever reads next on the default branch."""
    team.commit("Base")
    subprocess.run(["git", "clone", "--quiet", str(team.root), str(tmp_path / "clone")], check=True)
    team.learn("From far away")
    team.commit("Lesson")
    subprocess.run(["git", "-C", str(tmp_path / "clone"), "pull", "--quiet"], check=True)

    there = type(team).__new__(type(team))
    there.__dict__.update(team.__dict__)
    view = tmp_path / "clone/docs/knowledge/backend/LESSONS-LEARNED.md"
    assert not view.exists()
    there.app = type(team.app)(str(tmp_path / "clone"), {})
    assert there.titles() == ["From far away"]
    assert "### From far away" in view.read_text()
    there.app.close()


def test_lessons_and_commits_that_head_lacks_are_found_with_branch_commit_and_path(team) -> None:
    """As files and as handwritten sections; each once; HEAD's own matching commits are told apart."""
    team.commit("Add auth", day=2)
    team.git("checkout", "--quiet", "-b", "feature/tokens")
    done = team.learn("Tokens rotate")
    wrote = team.commit("Write a lesson down", day=3)
    team.git("checkout", "--quiet", "-b", "old-habit", "main")
    team.write("docs/knowledge/backend/LESSONS-LEARNED.md", "# Lessons\n\n## KV lags\n\nA read was stale.\n")
    by_hand = team.commit("OAuth and KV", day=4)
    last = team.commit("migration of D1", day=5)
    team.git("checkout", "--quiet", "main")

    found = branch_lessons(team.base, GREP)
    view = "backend/LESSONS-LEARNED.md"
    assert found[:3] == [
        BranchLesson(
            branch="old-habit", commit=by_hand, subject="OAuth and KV", date="2026-11-04", path=view, missing=True
        ),
        BranchLesson(
            branch="feature/tokens",
            commit=wrote,
            subject="Write a lesson down",
            date="2026-11-03",
            path=done.lesson.path,
            missing=True,
        ),
        BranchLesson(branch="old-habit", commit=last, subject="migration of D1", date="2026-11-05", missing=True),
    ]
    assert rows(team)[3:] == [("main", "Add auth", None, False)]


def test_what_is_merged_is_no_longer_missing(team) -> None:
    """Whether by a merge, or because the same lesson was written here."""
    team.git("checkout", "--quiet", "-b", "feature")
    team.learn("Tokens rotate")
    team.commit("auth lesson", day=3)
    team.git("checkout", "--quiet", "-b", "other", "main")
    team.learn("Cold starts hurt")
    team.commit("Another", day=4)
    team.git("checkout", "--quiet", "main")
    assert [row[3] for row in rows(team)] == [True, True]
    team.git("merge", "--quiet", "--no-ff", "--no-edit", "feature", day=5)
    team.learn("Cold starts hurt")

    assert rows(team) == [("main", "auth lesson", None, False)]


def test_a_lesson_squashed_into_head_is_not_missing(team) -> None:
    """Its commit is not in HEAD's history, but its content is here."""
    team.git("checkout", "--quiet", "-b", "feature")
    team.learn("Tokens rotate")
    team.commit("Write it down", day=3)
    team.git("checkout", "--quiet", "main")
    team.git("merge", "--quiet", "--squash", "feature")
    team.commit("Squashed", day=4)

    assert rows(team) == []
    assert team.titles(branches="all") == ["Tokens rotate"]


def test_what_head_took_out_is_not_missing(team) -> None:
    """An old branch still has it; that brings nothing new. In the list it stands as merged."""
    done = team.learn("Tokens rotate")
    team.view.write_text("# L\n\n## By hand\n\nOld words about auth.\n")
    team.commit("Two lessons", day=2)
    team.git("branch", "old")
    (team.root / "docs/knowledge" / done.lesson.path).unlink()
    team.view.write_text("# L\n\n## By hand\n\nNew words about auth.\n")
    team.commit("Take one out, mend the other", day=3)
    team.git("checkout", "--quiet", "old")
    team.view.write_text("# L\n\n## By hand\n\nOld words about auth.\n\n## Other\n\nNew here.\n")
    team.commit("One more", day=4)
    team.git("checkout", "--quiet", "main")

    assert rows(team, "nothing") == [("old", "One more", "backend/LESSONS-LEARNED.md", True)]
    listed = team.call("lessons_list", branches="all").data["lessons"]
    found = {(each["title"], each["problem"]): (each["branch"], each["merged"]) for each in listed}
    assert found == {
        ("By hand", "New words about auth."): ("main", True),
        ("By hand", "Old words about auth."): ("old", True),
        ("Other", "New here."): ("old", False),
        ("Tokens rotate", "Tokens rotate was seen."): ("old", True),
    }


def test_remote_branches_count_and_local_ones_speak_first(team, tmp_path: Path) -> None:
    """A clone knows branches that it never checked out."""
    for branch in ("local", "far"):
        team.git("checkout", "--quiet", "-b", branch, "main")
        team.learn(f"Seen on {branch}")
        team.commit(f"Lesson of {branch}", day=3)
    team.git("checkout", "--quiet", "main")
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "--quiet", str(team.root), str(clone)], check=True)
    subprocess.run(["git", "-C", str(clone), "branch", "--quiet", "local", "origin/local"], check=True)
    app = type(team.app)(str(clone), {})

    found = {each.lesson.title: each.lesson.branch for each in foreign_lessons(app.knowledge, [])}
    assert found == {"Seen on local": "local", "Seen on far": "origin/far"}
    assert {(each.branch, each.path is not None) for each in branch_lessons(app.knowledge, "Lesson of")} == {
        ("local", True),
        ("origin/far", True),
    }
    app.close()


def test_the_repositorys_own_settings_do_not_change_what_is_found(team) -> None:
    """Pattern type, case, signatures, colours and relative paths."""
    team.git("checkout", "--quiet", "-b", "feature")
    team.learn("Tokens rotate")
    team.commit("A lesson", day=3)
    team.commit("auth | x", day=4)
    team.git("checkout", "--quiet", "main")
    expected = rows(team, r"auth\|never")
    for name, value in (
        ("grep.patternType", "fixed"),
        ("grep.extendedRegexp", "true"),
        ("color.ui", "always"),
        ("diff.relative", "true"),
        ("diff.renames", "copies"),
        ("log.follow", "true"),
        ("format.pretty", "oneline"),
        ("log.decorate", "full"),
        ("core.quotePath", "true"),
        ("i18n.logOutputEncoding", "ISO-8859-1"),
    ):
        team.git("config", name, value)
    forget()
    shutil.rmtree(cache_folder() / "branches")

    assert len(expected) == 2
    assert rows(team, r"auth\|never") == expected


def test_a_pattern_is_never_an_option(team) -> None:
    """It is one argument, whatever it begins with."""
    team.commit("--all of it", day=2)

    assert rows(team, "--all") == [("main", "--all of it", None, False)]


def test_a_workspace_deep_in_its_repository_sees_its_own_lessons(team) -> None:
    """Paths are those of the knowledge base, not of the repository."""
    inner = team.root / "packages/api"
    (inner / "docs/knowledge/backend").mkdir(parents=True)
    app = type(team.app)(str(inner), {})
    outer, team.app = team.app, app
    team.git("checkout", "--quiet", "-b", "feature")
    done = team.learn("Deep inside")
    team.commit("Lesson", day=3)
    team.git("checkout", "--quiet", "main")
    (inner / "docs/knowledge/backend").mkdir(parents=True)

    assert rows(team) == [("feature", "Lesson", done.lesson.path, True)]
    assert read_lessons(team.base) == []
    team.app = outer
    app.close()


def test_a_shallow_clone_and_a_worktree_work(team, tmp_path: Path) -> None:
    """What they know of, they show."""
    team.git("checkout", "--quiet", "-b", "feature")
    team.learn("Tokens rotate")
    team.commit("Lesson about auth", day=3)
    team.git("checkout", "--quiet", "main")
    options = ["--quiet", "--depth", "1", "--no-single-branch"]
    subprocess.run(["git", "clone", *options, team.root.as_uri(), str(tmp_path / "shallow")], check=True)
    team.git("worktree", "add", "--quiet", "-b", "tree", str(tmp_path / "tree"), "main")
    for place, branch in (("shallow", "origin/feature"), ("tree", "feature")):
        app = type(team.app)(str(tmp_path / place), {})

        assert [(each.branch, each.missing) for each in branch_lessons(app.knowledge, GREP)] == [(branch, True)]
        app.close()


def test_hostile_trees_names_and_blobs_are_passed_over(team) -> None:
    """Links, folders, odd names, binary and huge files on another branch hide no lesson."""
    team.git("checkout", "--quiet", "-b", "feature")
    team.learn("Tokens rotate")
    folder = team.folder / "lessons"
    text = '---\nid: "abc"\ntitle: "T"\n---\n\n## Problem\n\nP\n\n## Solution\n\nS'
    (folder / "link.md").symlink_to(text)
    (folder / "sub.md").mkdir()
    (folder / "sub.md/x.md").write_text("x")
    (folder / "new\nline.md").write_text("x")
    (folder / "binary.md").write_bytes(b"\xff\xfe\0\n")
    (folder / "big.md").write_text(text + "x" * (9 * 2**20))
    team.commit("auth\x02 Ünï", day=3)
    team.git("checkout", "--quiet", "main")

    assert [(row[0], row[1]) for row in rows(team)] == [("feature", "auth\x02 Ünï")]


def test_a_branch_without_knowledge_and_a_file_in_its_place_do_no_harm(team) -> None:
    """`lessons` as a file, LESSONS-LEARNED.md as a folder."""
    team.git("checkout", "--quiet", "-b", "odd")
    team.write("docs/knowledge/backend/lessons", "a file")
    team.write("docs/knowledge/backend/LESSONS-LEARNED.md/x.md", "x")
    team.commit("Odd", day=3)
    team.git("checkout", "--quiet", "main")
    team.git("checkout", "--quiet", "--orphan", "empty")
    team.git("rm", "-rfq", ".")
    team.commit("Empty", day=4)
    team.git("checkout", "--quiet", "main")
    team.folder.mkdir(parents=True, exist_ok=True)

    assert foreign_lessons(team.base, []) == []


def test_a_damaged_object_store_is_unavailable_and_the_lessons_at_hand_stay_readable(team) -> None:
    """The answer is partial and says what to do."""
    team.learn("At hand")
    team.git("checkout", "--quiet", "-b", "feature")
    team.learn("Elsewhere")
    team.commit("Lesson", day=3)
    commit = team.git("rev-parse", "HEAD")
    (team.root / ".git/objects" / commit[:2] / commit[2:]).unlink()
    team.git("symbolic-ref", "HEAD", "refs/heads/main")

    with pytest.raises(Unavailable):
        branch_lessons(team.base, GREP)
    answer = team.call("lessons_list", branches="all")
    assert answer.status == "partial"
    assert {"At hand", "Elsewhere"} == {each["title"] for each in answer.data["lessons"]}


@pytest.mark.parametrize("way", ["merge", "squash", "rebase"])
def test_pull_requests_of_two_branches_never_conflict_however_they_are_merged(team, way: str) -> None:
    """Twenty lessons each, and lessons of main meanwhile; git finds both mergeable as a server does, without drivers."""
    for branch in ("one", "two"):
        team.git("checkout", "--quiet", "-b", branch, "main")
        for number in range(20):
            words = " ".join(f"{each}{branch}" for each in range(number, number + 3))
            team.learn(f"{branch} {number} {words}", solution=f"Solved by {words}", force=True)
        team.titles()
        team.commit(f"Lessons of {branch}")
    team.git("checkout", "--quiet", "main")
    team.learn("Seen on main")
    team.titles()
    team.commit("A lesson of main, and the view")
    for branch in ("one", "two"):
        team.git("merge-tree", "--write-tree", "main", branch)  # fails where a server would say "conflicts"
        if way == "rebase":
            team.git("rebase", "--quiet", "main", branch)
            team.git("checkout", "--quiet", "main")
        team.git("merge", "--quiet", *(["--squash"] if way == "squash" else ["--no-edit"]), branch)
        team.titles()
        team.commit(f"Merged {branch}, and the view")

    titles = team.titles(limit=100)
    text = team.view.read_text()
    assert (len(titles), len(set(titles))) == (41, 41)
    assert [title for title in titles if f"\n### {title}\n" not in text] == []
    assert team.git("status", "--porcelain") == ""
    assert rows(team, "nothing matches") == []


def test_a_submodule_is_a_repository_of_its_own_and_one_inside_hides_nothing(team, tmp_path: Path) -> None:
    """Its branches are its own; the outer repository sees its own lessons."""
    team.git("checkout", "--quiet", "-b", "feature")
    team.learn("Tokens rotate")
    team.commit("Lesson about auth", day=3)
    team.git("checkout", "--quiet", "main")
    outer = tmp_path / "outer"
    git = ["git", "-c", "protocol.file.allow=always", "-C"]
    subprocess.run(["git", "init", "--quiet", "--initial-branch", "main", str(outer)], check=True)
    subprocess.run([*git, str(outer), "submodule", "--quiet", "add", str(team.root), "kb"], check=True)
    subprocess.run([*git, str(outer), "commit", "--quiet", "-m", "Begin"], check=True)
    (outer / "docs/knowledge/backend").mkdir(parents=True)
    inner, around = (type(team.app)(str(place), {}) for place in (outer / "kb", outer))

    assert [(each.branch, each.missing) for each in branch_lessons(inner.knowledge, GREP)] == [("origin/feature", True)]
    assert branch_lessons(around.knowledge, GREP) == []
    around.close()
    inner.close()
