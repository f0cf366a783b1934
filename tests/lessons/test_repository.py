"""Git is read, whatever its state, and starts nothing."""

import os
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mcp_daan.errors import InvalidArguments, TooLarge, TooSlow, Unavailable
from mcp_daan.knowledge import repository
from mcp_daan.knowledge.branches import branch_lessons, foreign_lessons
from mcp_daan.knowledge.repository import (
    default_branch,
    git,
    head_branch,
    head_commit,
    is_repository,
    last_changes,
    on_default_branch,
    user_name,
)


def test_a_folder_without_git_is_no_repository_and_every_branch(folder_only) -> None:
    """Without git the view may be written."""
    assert not is_repository(folder_only.root)
    assert on_default_branch(folder_only.root)
    assert last_changes(folder_only.root, folder_only.folder) == {}


def test_before_the_first_commit_head_has_a_branch_and_no_commit(folder_only) -> None:
    """`git init` and nothing more."""
    folder_only.git("init", "--quiet", "--initial-branch", "trunk")

    assert head_branch(folder_only.root) == "trunk"
    assert head_commit(folder_only.root) is None
    assert default_branch(folder_only.root) == "trunk"
    assert last_changes(folder_only.root, folder_only.folder) == {}
    assert branch_lessons(folder_only.base, "x") == []


def test_a_detached_head_is_on_no_branch(team) -> None:
    """So the view is left alone there."""
    team.git("checkout", "--quiet", "--detach")

    assert head_branch(team.root) is None
    assert default_branch(team.root) == "main"
    assert not on_default_branch(team.root)


def test_the_default_branch_is_main_then_master_then_the_configured_one_then_the_only_one(team) -> None:
    """Each step holds where the ones before it say nothing."""
    team.git("branch", "master")
    assert default_branch(team.root) == "main"
    team.git("branch", "--move", "main", "develop")
    assert default_branch(team.root) == "master"
    team.git("branch", "--move", "master", "trunk")
    assert default_branch(team.root) is None
    team.git("config", "init.defaultBranch", "trunk")
    assert default_branch(team.root) == "trunk"
    team.git("config", "--unset", "init.defaultBranch")
    team.git("branch", "--delete", "trunk")
    assert default_branch(team.root) == "develop"


def test_the_remote_says_which_branch_is_the_default_one(team, tmp_path: Path) -> None:
    """A clone records it, whatever its name."""
    team.git("branch", "release")
    team.git("checkout", "--quiet", "release")
    subprocess.run(["git", "clone", "--quiet", str(team.root), str(tmp_path / "clone")], check=True)

    assert default_branch(tmp_path / "clone") == "release"


def test_a_remote_default_branch_that_is_gone_says_nothing(team, tmp_path: Path) -> None:
    """The team renamed `master`; clones keep the old record until somebody sets it anew."""
    team.git("branch", "--move", "main", "master")
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "--quiet", str(team.root), str(clone)], check=True)
    team.git("branch", "--move", "master", "main")
    subprocess.run(["git", "-C", str(clone), "fetch", "--quiet", "--prune"], check=True)
    subprocess.run(["git", "-C", str(clone), "checkout", "--quiet", "main"], check=True)

    assert default_branch(clone) == "main"


def test_a_clone_of_one_feature_branch_does_not_take_it_for_the_default_one(team, tmp_path: Path) -> None:
    """The only branch here is not the only one there is."""
    team.git("branch", "feature")
    clone = tmp_path / "clone"
    source = team.root.as_uri()
    subprocess.run(
        ["git", "clone", "--quiet", "--single-branch", "--depth", "1", "--branch", "feature", source, str(clone)],
        check=True,
    )

    assert head_branch(clone) == "feature"
    assert not on_default_branch(clone)


def test_a_worktree_has_a_branch_of_its_own(team, tmp_path: Path) -> None:
    """Its `.git` is a file."""
    team.git("worktree", "add", "--quiet", "-b", "feature", str(tmp_path / "tree"))

    assert is_repository(tmp_path / "tree")
    assert head_branch(tmp_path / "tree") == "feature"
    assert not on_default_branch(tmp_path / "tree")


def test_a_file_is_dated_by_its_last_commit_and_by_its_mtime_once_edited(team) -> None:
    """The work tree's times say nothing of a file that git tracks and nobody changed."""
    first = team.write("docs/knowledge/backend/A.md", "one\n")
    edited = team.write("docs/knowledge/backend/sub/Ünï.md", "one\n")
    team.commit("Documents", day=3)
    first.touch()
    edited.write_text("two\n")
    os.utime(edited, (1_700_000_000, 1_700_000_000))
    team.write("docs/knowledge/backend/untracked.md", "x")

    expected = {
        first: datetime(2026, 11, 3, 12, tzinfo=UTC),
        edited: datetime.fromtimestamp(1_700_000_000, UTC),
    }
    assert expected == last_changes(team.root, team.folder)


def test_a_file_merged_from_a_branch_has_the_date_of_the_commit_that_wrote_it(team) -> None:
    """The merge itself changed nothing in it; one that both sides changed has the merge's date."""
    both = team.write("docs/knowledge/backend/both.md", "a\n\nb\n\nc\n")
    team.commit("Base", day=2)
    team.git("checkout", "--quiet", "-b", "feature")
    theirs = team.write("docs/knowledge/backend/theirs.md", "x")
    both.write_text("A\n\nb\n\nc\n")
    team.commit("Theirs", day=3)
    team.git("checkout", "--quiet", "main")
    both.write_text("a\n\nb\n\nC\n")
    team.commit("Ours", day=4)
    team.git("merge", "--quiet", "--no-ff", "--no-edit", "feature", day=5)

    days = {file.name: moment.day for file, moment in last_changes(team.root, team.folder).items()}
    assert days == {"both.md": 5, "theirs.md": 3}
    assert theirs.exists()


def test_windows_line_endings_in_the_work_tree_are_no_change(team) -> None:
    """Git wrote them, not a person."""
    file = team.write("docs/knowledge/backend/A.md", "one\ntwo\n")
    team.commit("Documents", day=3)
    file.write_bytes(b"one\r\ntwo\r\n")

    assert [moment.day for moment in last_changes(team.root, team.folder).values()] == [3]


def test_nothing_that_a_repository_names_is_run(team, tmp_path: Path) -> None:
    """Every setting that can name a program names one that would leave a mark."""
    mark = tmp_path / "mark"
    evil = tmp_path / "evil.sh"
    evil.write_text(f'#!/bin/sh\necho "$0 $*" >> {mark}\nexit 1\n')
    evil.chmod(0o755)
    settings = (
        "core.fsmonitor core.pager core.editor core.askPass core.sshCommand diff.external gpg.program pager.log"
        " credential.helper diff.evil.textconv diff.evil.command filter.evil.clean filter.evil.smudge"
        " filter.evil.process alias.log remote.origin.uploadpack core.gitProxy gpg.ssh.program"
        " interactive.diffFilter trailer.evil.command"
    )
    signer = team.write(".signer", "#!/bin/sh\ncat > /dev/null\necho -----BEGIN PGP SIGNATURE-----\n")
    signer.write_text(signer.read_text() + 'echo "[GNUPG:] SIG_CREATED " >&2\n')
    signer.chmod(0o755)
    team.write(".gitattributes", "* diff=evil filter=evil\n")
    file = team.write("docs/knowledge/backend/LESSONS-LEARNED.md", "# L\n\n## D1\n\ntext\n")
    team.commit("migration", day=2)
    team.git("checkout", "--quiet", "-b", "feature")
    file.write_text("# L\n\n## D1\n\ntext\n\n## KV\n\nmore\n")
    team.commit("auth", day=3)
    team.git("-c", f"gpg.program={signer}", "commit", "--quiet", "--allow-empty", "-S", "-m", "auth, signed", day=4)
    team.git("checkout", "--quiet", "main")
    for name in settings.split():
        team.git("config", name, str(evil) if not name.startswith("alias") else f"!{evil}")
    team.git("config", "log.showSignature", "true")
    team.git("config", "log.follow", "true")
    team.git("config", "core.hooksPath", str(tmp_path / "hooks"))
    team.git("config", "protocol.allow", "always")
    team.git("config", "protocol.ext.allow", "always")
    team.git("config", "remote.origin.url", f"ext::{evil}")
    team.git("config", "remote.origin.promisor", "true")
    team.git("config", "extensions.partialClone", "origin")
    (tmp_path / "hooks").mkdir()
    for hook in ("post-index-change", "reference-transaction", "fsmonitor-watchman", "post-checkout", "pre-auto-gc"):
        (tmp_path / "hooks" / hook).symlink_to(evil)
    mark.unlink(missing_ok=True)
    file.write_text("edited\n")

    last_changes(team.root, team.folder)
    branch_lessons(team.base, "auth")
    foreign_lessons(team.base, [])
    team.call("lessons_list", branches="all")
    team.call("lessons_append", title="T", problem="P", solution="S", component="d1")
    with pytest.raises(Unavailable):
        git(team.root, "cat-file", "-p", "0123456789012345678901234567890123456789")
    with pytest.raises(Unavailable):
        git(team.root, "fetch", "origin")

    assert not mark.exists()


def test_even_a_command_that_reads_the_index_starts_no_monitor_and_no_hook(team, tmp_path: Path) -> None:
    """Today none is called; the settings hold for the one that somebody adds."""
    mark = tmp_path / "mark"
    evil = tmp_path / "post-index-change"
    evil.write_text(f"#!/bin/sh\ntouch {mark}\n")
    evil.chmod(0o755)
    team.git("config", "core.hooksPath", str(tmp_path))
    team.git("config", "core.fsmonitor", str(evil))

    git(team.root, "status")
    git(team.root, "update-index", "--refresh", "--really-refresh")

    assert not mark.exists()


def test_the_callers_own_git_variables_lead_nowhere_else(team, tmp_path: Path, monkeypatch) -> None:
    """A server started from a git hook inherits GIT_DIR and GIT_INDEX_FILE."""
    other = tmp_path / "other"
    subprocess.run(["git", "init", "--quiet", "--initial-branch", "other", str(other)], check=True)
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(other))

    assert head_branch(team.root) == "main"


def test_a_repository_of_another_owner_is_unavailable_with_advice(team, monkeypatch) -> None:
    """Git's own refusal, in our words."""
    monkeypatch.setitem(repository.ENVIRONMENT, "GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")

    with pytest.raises(Unavailable) as caught:
        is_repository(team.root)

    assert "safe.directory" in caught.value.advice
    answer = team.call("lessons_list", branches="all")
    assert answer.status == "partial"
    assert any("safe.directory" in each for each in answer.recommendations)


def test_without_the_git_program_a_repository_is_unavailable_and_lessons_still_work(team, monkeypatch) -> None:
    """A container may hold the checkout and no git; the branch is then unknown, so the view is left alone."""
    monkeypatch.setenv("PATH", str(team.root))

    with pytest.raises(Unavailable):
        is_repository(team.root)

    answer = team.call("lessons_append", title="T", problem="P", solution="S", component="d1")
    assert answer.status == "complete"
    assert not team.view.exists()
    assert any("Git is not installed" in each for each in answer.recommendations)
    assert team.titles() == ["T"]


def test_a_git_in_a_relative_path_entry_is_not_run(folder_only, monkeypatch) -> None:
    """It would be a program of whatever folder the server stands in."""
    program = folder_only.write("git", "#!/bin/sh\necho true\n")
    program.chmod(0o755)
    folder_only.git("init", "--quiet")
    monkeypatch.chdir(folder_only.root)
    monkeypatch.setenv("PATH", ".")

    with pytest.raises(Unavailable):
        is_repository(folder_only.root)


def test_a_broken_repository_is_unavailable_and_never_another_one(team) -> None:
    """A damaged HEAD is no reason to crash."""
    (team.root / ".git/HEAD").write_text("\0\0\0")

    assert not on_default_branch(team.root)
    with pytest.raises(Unavailable):
        git(team.root, "log")


def test_git_is_stopped_at_its_deadline(team) -> None:
    """A pipe among its files would hold it for ever."""
    (team.root / ".git/packed-refs").unlink(missing_ok=True)
    os.mkfifo(team.root / ".git/packed-refs")

    with pytest.raises(TooSlow):
        git(team.root, "for-each-ref", seconds=0.2)


def test_an_answer_of_git_has_a_largest_size(team, monkeypatch) -> None:
    """Past it git is stopped."""
    monkeypatch.setattr(repository, "OUTPUT_BYTES", 20)

    with pytest.raises(TooLarge):
        git(team.root, "log", "--all")


def test_a_pattern_that_is_no_regular_expression_names_the_setting(team) -> None:
    """It comes from daan.toml."""
    with pytest.raises(InvalidArguments) as caught:
        branch_lessons(team.base, r"\(")

    assert "[git] grep" in caught.value.message


def test_git_knows_the_users_name(team) -> None:
    """Null without one."""
    assert user_name(team.root) is None
    team.git("config", "user.name", "Lars")
    assert user_name(team.root) == "Lars"
