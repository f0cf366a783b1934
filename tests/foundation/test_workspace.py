"""Where the workspace is."""

from pathlib import Path

import pytest

from mcp_daan.errors import NotFound
from mcp_daan.workspace import find_workspace


def test_the_nearest_folder_with_daan_toml_wins_over_the_git_root(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A part of a repository can be a workspace of its own."""
    (workspace / ".git").mkdir()
    inner = workspace / "team" / "deep"
    inner.mkdir(parents=True)
    monkeypatch.chdir(inner)

    assert find_workspace(None, {}).root == workspace.resolve()
    (workspace / "team" / "daan.toml").touch()
    assert find_workspace(None, {}).root == (workspace / "team").resolve()


def test_an_argument_wins_over_the_environment_over_the_folder(workspace: Path, tmp_path: Path) -> None:
    """What was said last and nearest holds."""
    other = tmp_path / "other"
    other.mkdir()

    assert find_workspace(str(other), {"DAAN_WORKSPACE": str(workspace)}).root == other.resolve()
    assert find_workspace(None, {"DAAN_WORKSPACE": str(workspace)}).root == workspace.resolve()


def test_a_folder_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    """A misspelt folder is not replaced by another."""
    with pytest.raises(NotFound):
        find_workspace(str(tmp_path / "absent"), {})


def test_a_link_that_leads_to_itself_is_no_file(workspace: Path) -> None:
    """What stands beside it is found."""
    (workspace / "wrangler.toml").write_text('name = "portal"\n')
    (workspace / "loop").symlink_to(workspace / "loop")

    assert find_workspace(str(workspace), {}).configurations == [workspace.resolve() / "wrangler.toml"]
