"""The demo workspace: the same for everyone, made anew in place, and never over anything else."""

import os
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mcp_daan.demo.workspace import MARKER, make_workspace
from mcp_daan.errors import Refused, Unavailable

NOW = datetime(2026, 11, 22, 12, 0, 0, 123, tzinfo=UTC)


def git(folder: Path, *arguments: str) -> str:
    return subprocess.run(["git", "-C", folder, *arguments], capture_output=True, text=True, check=True).stdout


def tree(folder: Path) -> dict[str, bytes]:
    """Every file but git's own."""
    files = (path for path in folder.rglob("*") if path.is_file() and ".git" not in path.relative_to(folder).parts)
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def differing(one: Path, other: Path) -> list[str]:
    first, second = tree(one), tree(other)
    assert first.keys() == second.keys()
    return sorted(name for name in first if first[name] != second[name])


def test_two_made_at_one_moment_differ_in_the_key_and_what_is_sealed_by_it(tmp_path: Path) -> None:
    """Files, commits, branches and tags are the same for everyone."""
    for name in ("one", "other"):
        make_workspace(tmp_path / name, NOW)

    different = differing(tmp_path / "one", tmp_path / "other")
    assert [Path(name).suffix for name in different] == [".vars", ".sqlite"]
    assert git(tmp_path / "one", "show-ref") == git(tmp_path / "other", "show-ref")


def test_the_user_s_own_git_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither an identity, nor a signing rule, nor a hook, nor the repository that a hook works in."""
    make_workspace(tmp_path / "plain", NOW)
    hooks = tmp_path / "hooks"
    hooks.mkdir()
    for name in ("pre-commit", "post-checkout", "reference-transaction"):
        (hooks / name).write_text("#!/bin/sh\nexit 1\n")
        (hooks / name).chmod(0o755)
    settings = Path(os.environ["HOME"]) / ".gitconfig"
    settings.write_text(
        f"[core]\nhooksPath = {hooks}\nautocrlf = true\n[init]\ndefaultBranch = other\ntemplateDir = {hooks}\n"
        "[user]\nname = Somebody\n[commit]\ngpgsign = true\n[and this is no setting at all\n"
    )
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    make_workspace(tmp_path / "demo", NOW)
    monkeypatch.delenv("GIT_DIR")
    settings.unlink()

    assert git(tmp_path / "demo", "show-ref") == git(tmp_path / "plain", "show-ref")
    assert (tmp_path / "demo/.git/hooks").exists() is False
    assert set(git(tmp_path / "demo", "log", "--all", "--format=%an <%ae>").split("\n")) == {
        "Joost <joost@portal.example>",
        "Lars <lars@portal.example>",
        "Ruben <ruben@portal.example>",
        "",
    }


def test_main_is_checked_out_clean_and_two_branches_know_more(tmp_path: Path) -> None:
    """Their lessons are files that main lacks; the key and the database are not git's."""
    make_workspace(tmp_path, NOW)
    lessons = "docs/knowledge/backend/lessons/"

    assert git(tmp_path, "status", "--porcelain") == ""
    assert git(tmp_path, "branch", "--format=%(refname:short) %(HEAD)").split("\n") == [
        "feature/session-cache  ",
        "fix/exact-refresh-race  ",
        "main *",
        "",
    ]
    lacked = {
        branch: len(git(tmp_path, "diff", "--name-only", f"main...{branch}", "--", lessons).split())
        for branch in ("feature/session-cache", "fix/exact-refresh-race")
    }
    assert lacked == {"feature/session-cache": 1, "fix/exact-refresh-race": 2}
    assert [name for name in git(tmp_path, "ls-files").split() if ".dev.vars" in name or ".sqlite" in name] == []


def test_making_it_again_is_as_the_first_time_whatever_was_changed(tmp_path: Path) -> None:
    """Its times are refreshed, what was added below its folders is gone, what lies beside them stays."""
    demo, fresh = tmp_path / "demo", tmp_path / "fresh"
    make_workspace(demo, NOW - timedelta(days=40))
    (demo / "docs/knowledge/backend/lessons/own.md").write_text("added")
    (demo / "docs/knowledge/backend/DATABASE.md").unlink()
    (demo / "daan.toml").write_text("[knowledge]\npath = 'elsewhere'\n")
    (demo / ".vscode").mkdir()
    (demo / ".vscode/mcp.json").write_text("{}")
    git(demo, "switch", "--quiet", "feature/session-cache")
    make_workspace(demo, NOW)
    make_workspace(fresh, NOW)

    assert (demo / ".vscode/mcp.json").read_text() == "{}"
    (demo / ".vscode/mcp.json").unlink()
    assert {Path(name).suffix for name in differing(demo, fresh)} == {".vars", ".sqlite"}
    assert git(demo, "show-ref", "--head") == git(fresh, "show-ref", "--head")


def test_a_folder_that_holds_anything_else_is_refused_and_left_alone(tmp_path: Path) -> None:
    """Only the marker tells that a folder is the demo's."""
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs/plan.md").write_text("mine")

    with pytest.raises(Refused):
        make_workspace(tmp_path, NOW)

    assert tree(tmp_path) == {"docs/plan.md": b"mine"}


def test_a_file_in_the_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    """It cannot be made a folder."""
    file = tmp_path / "demo"
    file.write_text("mine")

    with pytest.raises(Refused):
        make_workspace(file, NOW)

    assert file.read_text() == "mine"


def test_a_link_in_the_demo_is_taken_away_and_what_it_leads_to_stays(tmp_path: Path) -> None:
    """Making it anew deletes nothing outside."""
    own, demo = tmp_path / "own", tmp_path / "demo"
    own.mkdir()
    (own / "kept.md").write_text("mine")
    make_workspace(demo, NOW)
    (demo / "README.md").unlink()
    (demo / "README.md").symlink_to(own / "kept.md")
    (demo / "docs/linked").symlink_to(own)
    (demo / "apps").rename(tmp_path / "moved")
    (demo / "apps").symlink_to(own)
    make_workspace(demo, NOW)

    assert (own / "kept.md").read_text() == "mine"
    assert (demo / "README.md").is_symlink() is False
    assert (demo / "docs/linked").exists() is False


def test_a_marker_that_is_a_link_is_none(tmp_path: Path) -> None:
    """Writing it would write to where it leads."""
    own = tmp_path / "own.txt"
    own.write_text("mine")
    (tmp_path / "demo").mkdir()
    (tmp_path / "demo" / MARKER).symlink_to(own)

    with pytest.raises(Refused):
        make_workspace(tmp_path / "demo", NOW)

    assert own.read_text() == "mine"


def test_what_was_made_read_only_is_made_anew_all_the_same(tmp_path: Path) -> None:
    """Git's objects are, and on Windows that keeps them from being deleted."""
    make_workspace(tmp_path, NOW)
    for path in (tmp_path / "docs/knowledge/backend/VERSION.md", tmp_path / "docs/knowledge/backend"):
        path.chmod(0o500)
    make_workspace(tmp_path, NOW)

    assert (tmp_path / "docs/knowledge/backend").stat().st_mode & 0o700 == 0o700


def test_one_that_was_left_half_made_is_made_whole(tmp_path: Path) -> None:
    """The marker is written before anything else."""
    (tmp_path / MARKER).write_text("")
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs/half").write_text("")
    make_workspace(tmp_path, NOW)

    assert (tmp_path / "docs/half").exists() is False
    assert git(tmp_path, "status", "--porcelain") == ""


def test_without_git_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In words, not as a traceback."""
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(Unavailable) as caught:
        make_workspace(tmp_path / "demo", NOW)

    assert "git" in caught.value.message


def test_the_key_is_new_each_time_and_only_its_owner_s_to_read(tmp_path: Path) -> None:
    """32 bytes in base64."""
    keys = set()
    for _ in range(2):
        make_workspace(tmp_path, NOW)
        variables = tmp_path / "apps/auth-portal/.dev.vars"
        keys.add(next(line for line in variables.read_text().split("\n") if line.startswith("TOKEN_ENCRYPTION_KEY=")))

    assert len(keys) == 2
    assert variables.stat().st_mode & 0o777 == 0o600
