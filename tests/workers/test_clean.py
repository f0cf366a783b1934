"""Twenty-four workspaces of well-known shapes, in which nothing is wrong."""

import shutil
from pathlib import Path

import pytest

from mcp_daan.workspace import Workspace
from tests.workers.planted import CLEAN, checked, found
from tests.workers.says import wrangler, wrangler_says

# They need a compiler, Docker or a build tool that the test set lacks.
MADE_BY_OTHERS = {
    "built-by-command",
    "containers",
    "next-on-workers",
    "python-worker",
    "single-page-app",
    "vite-redirect",
}


def test_there_are_enough_of_them() -> None:
    """Of every kind that a team may have."""
    kinds = {app.kind for folder in CLEAN for app in Workspace(folder).apps}
    endings = {app.path.suffix for folder in CLEAN for app in Workspace(folder).apps}

    assert len(CLEAN) >= 20
    assert kinds == {"worker", "pages", "astro"}
    assert endings == {".toml", ".json", ".jsonc"}


@pytest.mark.parametrize("folder", CLEAN, ids=lambda folder: folder.name)
def test_nothing_is_said_of_a_clean_workspace(folder: Path) -> None:
    """A false alarm teaches people to look away."""
    answer = checked(folder)

    assert answer["status"] == "complete"
    assert found(answer) == []
    assert answer["recommendations"] == []
    assert len(answer["data"]["apps"]) == len({app["config"] for app in answer["data"]["apps"]}) >= 1


def test_wrangler_too_has_nothing_to_say_of_them() -> None:
    """Each configuration, at the top level and in each environment."""
    asked = [
        (app.path, environment)
        for folder in CLEAN
        for app in Workspace(folder).apps
        for environment in (None, *app.values.get("env", {}))
    ]
    said = zip(asked, wrangler_says(asked), strict=True)

    assert [(path, each) for (path, _), each in said if each.refused or each.warned.strip()] == []


@pytest.mark.long
@pytest.mark.timeout(300)
def test_wrangler_would_deploy_them(tmp_path: Path) -> None:
    """Each Worker that needs no build of another tool goes through `deploy --dry-run`."""
    refused = []
    for folder in [each for each in CLEAN if each.name not in MADE_BY_OTHERS]:
        shutil.copytree(folder, tmp_path / folder.name)
        for app in [app for app in Workspace(tmp_path / folder.name).apps if app.kind == "worker"]:
            done = wrangler(app.path.parent, "deploy", "--dry-run", "--outdir", str(tmp_path / "out" / app.name))
            if done.returncode:
                refused.append((app.path, done.stdout + done.stderr))

    assert refused == []
