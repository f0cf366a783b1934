"""A lesson is committed and sent alone; what is the person's stays theirs."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.sync.conftest import LESSONS, VIEW, Machine, in_remote


def test_a_lesson_is_committed_and_on_the_remote_with_the_view(ann: Machine, remote: Path) -> None:
    """One commit with two files, by the person, and a clean work tree."""
    answer = ann.learn("Rows are limited")

    assert (answer.status, answer.data["sync"]) == (
        "complete",
        {"state": "shared", "branch": "main", "remote": "origin/main", "waiting": 0, "received": 0, "reason": None},
    )
    assert ann.status() == ""
    assert (
        ann.git("rev-parse", "HEAD")
        == ann.git("rev-parse", "origin/main")
        == ann.git("ls-remote", "origin", "main").split()[0]
    )
    assert ann.git("show", "--name-only", "--format=%an <%ae>|%s|%(trailers:key=Lesson,valueonly)", "HEAD").split(
        "\n"
    ) == [
        f"Test <test@example.test>|Add lesson: Rows are limited|{answer.data['id']}",
        "",
        "",
        VIEW,
        *in_remote(remote),
    ]


def test_whoever_was_slower_adds_to_what_the_other_sent(ann: Machine, bob: Machine, remote: Path) -> None:
    """Both end up with both, in one straight history, and one view."""
    ann.learn("Rows are limited")
    answer = bob.learn("Cold starts hurt")
    ann.titles()

    assert answer.data["sync"]["received"] == 1
    assert ann.titles() == bob.titles() == ["Cold starts hurt", "Rows are limited"]
    assert ann.git("rev-parse", "HEAD") == bob.git("rev-parse", "HEAD")
    assert (ann.status(), bob.status()) == ("", "")
    assert (ann.root / VIEW).read_text() == (bob.root / VIEW).read_text()
    assert ann.git("rev-list", "--merges", "--count", "HEAD") == "0"


def test_staged_changed_and_new_files_are_not_sent_and_stay_as_they_are(ann: Machine, remote: Path) -> None:
    """The commit is built beside the person's index; what was staged stays staged."""
    ann.commit("kept.txt", "before\n")
    ann.git("push", "--quiet")
    ann.write("kept.txt", "changed\n")
    ann.write("staged.txt", "staged\n")
    ann.git("add", "staged.txt")
    ann.write("staged.txt", "staged, then changed\n")
    ann.write("new.txt", "new\n")
    ann.learn("Rows are limited")

    assert sorted(ann.status().splitlines()) == ["?? new.txt", "AM staged.txt", "M kept.txt"]
    assert ann.git("show", ":staged.txt") == "staged"
    shown = ann.git("ls-tree", "-r", "--name-only", "origin/main").split()
    assert "staged.txt" not in shown
    assert ann.git("show", "origin/main:kept.txt") == "before"


def test_commits_that_the_person_has_not_sent_stay_theirs(ann: Machine, remote: Path) -> None:
    """The lesson travels without them; they are neither sent nor written anew, and a pull puts all in order."""
    own = ann.commit("draft.txt", "not yet\n")
    answer = ann.learn("Rows are limited")

    assert answer.data["sync"]["state"] == "shared"
    assert len(in_remote(remote)) == 1
    assert "draft.txt" not in ann.git("ls-tree", "-r", "--name-only", "origin/main")
    assert ann.git("rev-parse", "HEAD~1") == own
    assert ann.files() == in_remote(remote)
    ann.git("checkout", "--quiet", "--", ".")
    (ann.root / VIEW).unlink(missing_ok=True)
    ann.git("pull", "--quiet", "--rebase")
    assert ann.git("log", "--format=%s", "origin/main..HEAD") == "Work"
    assert ann.titles() == ["Rows are limited"]


def test_what_others_changed_comes_with_a_lesson_but_not_with_a_reading_call(ann: Machine, bob: Machine) -> None:
    """Appending pulls; listing takes lessons only, and says what to do."""
    bob.commit("code.txt", "theirs\n")
    bob.git("push", "--quiet")
    bob.learn("Cold starts hurt")
    read = ann.call("lessons_list")
    assert (ann.files(), (ann.root / "code.txt").exists()) == ([], False)
    assert "git pull --rebase" in read.recommendations[0]
    assert ann.git("rev-parse", "origin/main") == bob.git("rev-parse", "HEAD")
    ann.learn("Rows are limited")

    assert (ann.root / "code.txt").read_text() == "theirs\n"
    assert ann.titles() == ["Cold starts hurt", "Rows are limited"]
    assert ann.status() == ""


def test_a_changed_file_that_others_changed_too_is_left_alone(ann: Machine, bob: Machine, remote: Path) -> None:
    """The lesson is sent all the same, and the work tree is as it was."""
    bob.commit("daan.toml", '[knowledge]\nsync = "git"\nstale_days = 90\n')
    bob.git("push", "--quiet")
    mine = '[knowledge]\nsync = "git"\nstale_days = 30\n'
    ann.write("daan.toml", mine)
    answer = ann.learn("Rows are limited")

    assert (answer.status, answer.data["sync"]["state"], len(in_remote(remote))) == ("complete", "shared", 1)
    assert "changes of yours stand in the way" in answer.recommendations[0]
    assert (ann.root / "daan.toml").read_text() == mine
    assert "M daan.toml" in ann.status().splitlines()[0]
    assert ann.files() == in_remote(remote)


def test_offline_the_lesson_is_committed_and_waits_and_the_next_call_sends_it(ann: Machine, remote: Path) -> None:
    """Three lessons wait; when the remote is back, listing sends them all."""
    away = remote.rename(remote.with_name("away.git"))
    answers = [ann.learn(f"Lesson {number} {'abc'[number] * 9}") for number in range(3)]
    last = answers[-1]
    assert (last.status, last.data["sync"]["state"], last.data["sync"]["waiting"]) == ("partial", "waiting", 3)
    assert last.data["sync"]["reason"] == "There is no repository at the address of origin."
    assert ann.git("log", "--format=%s", "origin/main..HEAD").count("Add lesson") == 3
    waiting = ann.call("lessons_list")
    assert (waiting.status, waiting.data["sync"]["waiting"], waiting.data["sync"]["reason"]) == (
        "partial",
        3,
        "origin could not be reached a moment ago.",
    )
    away.rename(remote)
    answer = ann.learn("Back again")

    assert answer.data["sync"] == {**last.data["sync"], "state": "shared", "waiting": 0, "reason": None}
    assert len(in_remote(remote)) == 4
    assert ann.status() == ""
    assert ann.git("rev-parse", "HEAD") == ann.git("rev-parse", "origin/main")


@pytest.mark.parametrize("tool", ["lessons_list", "knowledge_validate"])
def test_a_reading_call_sends_what_a_killed_server_left(ann: Machine, remote: Path, tool: str) -> None:
    """Written but neither committed nor sent; the digest in the name tells that the file is whole."""
    name = ann.note("Rows are limited")
    ann.call(tool)

    assert in_remote(remote) == [f"{LESSONS}/{name}"]
    assert ann.status() == ""


def test_a_server_killed_after_its_push_sends_nothing_twice(ann: Machine, remote: Path) -> None:
    """The remote has the lesson, the branch at hand does not know of it yet."""
    before = ann.git("rev-parse", "HEAD")
    ann.learn("Rows are limited")
    sent = ann.git("ls-remote", "origin", "main").split()[0]
    ann.git("update-ref", "refs/heads/main", before)
    ann.git("update-ref", "refs/remotes/origin/main", before)
    ann.git("read-tree", before)
    ann.titles()

    assert ann.git("ls-remote", "origin", "main").split()[0] == sent == ann.git("rev-parse", "HEAD")
    assert ann.status() == ""


def test_a_file_that_is_not_whole_or_was_written_by_hand_is_not_sent(ann: Machine, remote: Path) -> None:
    """Only what `lessons_append` wrote, as it wrote it."""
    name = ann.note("Rows are limited")
    ann.write(f"{LESSONS}/{name}", (ann.root / LESSONS / name).read_text() + "more\n")
    ann.write(f"{LESSONS}/mine.md", "# Mine\n")
    ann.titles()

    assert in_remote(remote) == []
    assert ann.git("log", "--format=%s", "HEAD") == "Begin"


def test_a_lesson_that_others_took_out_does_not_come_back(ann: Machine, bob: Machine, remote: Path) -> None:
    """Ann cannot follow, since she has a commit of her own; her copy is not sent anew."""
    ann.commit("draft.txt", "not yet\n")
    ann.learn("Rows are limited")
    bob.titles()
    bob.git("rm", "--quiet", *bob.files())
    bob.git("commit", "--quiet", "-m", "Take it out")
    bob.git("push", "--quiet")
    ann.titles()
    ann.learn("Cold starts hurt")

    assert ["rows-are-limited" in name for name in in_remote(remote)] == [False]


def test_a_branch_shares_with_its_own_remote_branch_and_leaves_the_view_alone(ann: Machine, remote: Path) -> None:
    """The view belongs to the default branch."""
    ann.git("checkout", "--quiet", "-b", "feature")
    ann.git("push", "--quiet", "--set-upstream", "origin", "feature")
    answer = ann.learn("Rows are limited")

    assert answer.data["sync"]["remote"] == "origin/feature"
    assert (len(in_remote(remote, "feature")), in_remote(remote)) == (1, [])
    assert ann.git("show", "--name-only", "--format=", "HEAD").split() == ann.files()
    assert ann.status() == ""


def test_words_written_by_hand_in_the_view_stay_uncommitted_and_whole(ann: Machine, bob: Machine) -> None:
    """Of the person's change nothing is sent; when others only added lessons, it stays in the file."""
    ann.commit(VIEW, "# Lessons learned\n\n## Old habit\n\nWe knew this.\n")
    ann.git("push", "--quiet")
    (ann.root / VIEW).write_text("# Lessons learned\n\n## Old habit\n\nWe knew this, and more.\n")
    ann.learn("Rows are limited")
    bob.learn("Cold starts hurt")
    ann.titles()

    text = (ann.root / VIEW).read_text()
    assert "We knew this, and more." in text
    assert "### Cold starts hurt" in text
    assert "and more" not in ann.git("show", f"HEAD:{VIEW}")
    assert ann.git("rev-parse", "HEAD") == ann.git("rev-parse", "origin/main")
    assert ann.status() == f"M {VIEW}"


def test_words_that_both_wrote_in_the_view_stop_the_branch_not_the_lesson(
    ann: Machine, bob: Machine, remote: Path
) -> None:
    """Nobody's words are lost."""
    bob.commit(VIEW, "# Lessons learned\n\n## Theirs\n\nWords.\n")
    bob.git("push", "--quiet")
    ann.write(VIEW, "# Lessons learned\n\n## Mine\n\nWords.\n")
    answer = ann.learn("Rows are limited")

    assert len(in_remote(remote)) == 1
    assert "others wrote in LESSONS-LEARNED.md, and so did you" in answer.recommendations[0]
    assert "## Mine" in (ann.root / VIEW).read_text()


def test_a_shallow_clone_and_a_worktree_share(clone: Callable[..., Machine], ann: Machine, remote: Path) -> None:
    """What they do not know of history they need not know."""
    ann.commit("a.txt", "a\n")
    ann.git("push", "--quiet")
    shallow = clone("shallow", "--depth", "1", url=remote.as_uri())
    shallow.learn("Seen in a shallow clone")
    ann.learn("Seen by Ann")
    ann.git("worktree", "add", "--quiet", "-b", "tree", str(ann.root.with_name("tree")), "main")
    ann.git("push", "--quiet", "--set-upstream", "origin", "tree")
    tree = Machine(ann.root.with_name("tree"))
    tree.learn("Seen in a worktree")
    shallow.learn("Later", force=True)

    assert (len(in_remote(remote)), len(in_remote(remote, "tree"))) == (3, 3)
    assert shallow.titles() == ["Later", "Seen by Ann", "Seen in a shallow clone"]
    assert (shallow.status(), tree.status()) == ("", "")
    assert subprocess.run(["git", "-C", str(shallow.root), "fsck", "--strict"], capture_output=True).returncode == 0
    tree.app.close()


def test_without_a_name_a_stand_in_commits(ann: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Git refuses to commit without one; a lesson is not lost for that."""
    for role in ("AUTHOR", "COMMITTER"):
        for part in ("NAME", "EMAIL"):
            monkeypatch.delenv(f"GIT_{role}_{part}")
    ann.learn("Rows are limited")
    assert (
        ann.git("log", "-1", "--format=%an <%ae> %cn <%ce>")
        == "mcp-daan <mcp-daan@localhost> mcp-daan <mcp-daan@localhost>"
    )
    ann.git("config", "user.name", "Ann")
    ann.git("config", "user.email", "ann@example.test")
    ann.learn("Cold starts hurt")

    assert ann.git("log", "-1", "--format=%an <%ae> %cn <%ce>") == "Ann <ann@example.test> Ann <ann@example.test>"


def test_without_the_setting_git_is_left_to_the_person(ann: Machine, remote: Path) -> None:
    """Nothing is committed, nothing sent, nothing asked."""
    ann.write("daan.toml", "")
    answer = ann.learn("Rows are limited")

    assert answer.data["sync"] is None
    assert any(each.startswith("Commit `docs/knowledge") for each in answer.recommendations)
    assert (in_remote(remote), ann.git("log", "--format=%s")) == ([], "Begin")


def test_another_git_that_holds_the_index_makes_the_branch_wait(ann: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is on the remote all the same; the branch here follows with the next call."""
    monkeypatch.setattr("mcp_daan.knowledge.sharing.landing.BUSY_SECONDS", 0.1)
    lock = ann.write(".git/index.lock", "")
    answer = ann.learn("Rows are limited")
    assert (answer.status, answer.data["sync"]["state"]) == ("complete", "shared")
    assert "Another git process" in answer.recommendations[0]
    lock.unlink()
    ann.titles()

    assert ann.status() == ""
    assert len(ann.files()) == 1


def test_the_person_sees_it_in_the_reflog(ann: Machine) -> None:
    """A branch that moved says who moved it."""
    ann.learn("Rows are limited")

    assert ann.git("reflog", "-1", "--format=%gs", "main") == "mcp-daan: follow the remote"


def test_a_commit_of_ours_that_the_person_added_work_to_is_theirs(ann: Machine, remote: Path) -> None:
    """`git commit --amend` keeps the words of the commit; what was added is neither sent nor lost."""
    away = remote.rename(remote.with_name("away.git"))
    ann.learn("Rows are limited")
    ann.write("code.txt", "mine\n")
    ann.git("add", "code.txt")
    ann.git("commit", "--quiet", "--amend", "--no-edit")
    away.rename(remote)
    ann.learn("Cold starts hurt")

    assert "code.txt" not in ann.git("ls-tree", "-r", "--name-only", "origin/main").split()
    assert ann.git("show", "HEAD:code.txt") == "mine"
    assert any("cold-starts-hurt" in name for name in in_remote(remote))


def test_a_lesson_that_the_person_committed_is_sent_by_the_person(ann: Machine, remote: Path) -> None:
    """Written before the setting was there, committed with words of their own: their commit stays as it is."""
    ann.write("daan.toml", "")
    ann.learn("Rows are limited")
    ann.git("add", "docs")
    ann.git("commit", "--quiet", "-m", "Our first lesson")
    own = ann.git("rev-parse", "HEAD")
    ann.git("checkout", "--quiet", "--", "daan.toml")
    ann.learn("Cold starts hurt")

    assert len(in_remote(remote)) == 1
    assert ann.git("rev-parse", "HEAD~1") == own
