"""Configurations and builds that the real tools have made."""

import os
import re
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from mcp_daan.app import App
from mcp_daan.demo.workspace import make_workspace
from mcp_daan.toolbox import tools_in
from mcp_daan.tools import workers
from tests.asking import run
from tests.node.packages import BIN, installed
from tests.workers.planted import CLEAN, checked, found, written
from tests.workers.says import QUIET, wrangler

UPLOAD = re.compile(r"Total Upload: ([\d.]+) KiB / gzip: ([\d.]+) KiB")
PORTAL = next(folder for folder in CLEAN if folder.name == "astro-portal")


def built(app: Path) -> None:
    """Build the Astro app in *app*, with the packages of the test set for so long."""
    modules = app / "node_modules"
    modules.symlink_to(installed("astro") / "node_modules")
    command = [BIN / "node", modules / "astro" / "bin" / "astro.mjs", "build"]
    environment = {**os.environ, **QUIET, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(command, cwd=app, capture_output=True, text=True, timeout=100, env=environment)
    modules.unlink()
    assert done.returncode == 0, done.stdout + done.stderr


def with_versions(app: Path) -> None:
    """What the check reads of the installed packages, in place of a link that leads out of the workspace."""
    for package in ("wrangler", "astro", "@astrojs/cloudflare"):
        (app / "node_modules" / package).mkdir(parents=True)
        for file in ("package.json", "config-schema.json"):
            source = installed("astro") / "node_modules" / package / file
            if source.is_file():
                shutil.copy(source, app / "node_modules" / package)


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The portal of the clean set, built by Astro."""
    app = tmp_path_factory.mktemp("built") / "portal"
    shutil.copytree(PORTAL, app)
    built(app)
    with_versions(app)
    return app


def uploaded(done: subprocess.CompletedProcess[str]) -> tuple[float, float]:
    """The size that wrangler tells, raw and compressed, in KiB."""
    told = UPLOAD.search(done.stdout)
    assert told is not None, done.stdout + done.stderr
    return float(told[1]), float(told[2])


def bundle_of(answer: dict[str, Any]) -> tuple[float, float]:
    """The size that we tell, in KiB."""
    bundle = answer["data"]["apps"][0]["bundle"]
    return bundle["bytes"] / 1024, bundle["gzipBytes"] / 1024


def test_a_worker_that_wrangler_built_has_the_size_that_wrangler_tells(workspace: Path) -> None:
    """And nothing is wrong with it."""
    files = {
        "wrangler.jsonc": (CLEAN[0].parent / "queues" / "wrangler.json").read_text(),
        "src/worker.ts": "import { big } from './big';\nexport default {\n  fetch: () => new Response(big),\n"
        "  async queue() {},\n};\n",
        "src/big.ts": f"export const big = {list(range(9999))}.join();\n",
    }
    written(workspace, files.items())
    done = wrangler(workspace, "deploy", "--dry-run", "--outdir", "made")
    answer = checked(workspace)

    assert found(answer) == []
    assert bundle_of(answer) == pytest.approx(uploaded(done), abs=0.01)
    assert [part["path"] for part in answer["data"]["apps"][0]["bundle"]["largest"]] == ["worker.js"]


def test_a_portal_that_astro_built_is_clean(portal: Path) -> None:
    """Its redirected configuration is wrangler's own, checked by the installed schema."""
    answer = checked(portal)
    (app,) = answer["data"]["apps"]

    assert found(answer) == []
    assert (app["kind"], app["redirected"]) == ("astro", "dist/server/wrangler.json")
    assert app["wrangler"]["installed"] is True
    assert len(app["bundle"]["largest"]) == 5


def test_a_portal_that_astro_built_has_the_size_that_wrangler_tells(portal: Path) -> None:
    """All modules beside the entry are uploaded with it, and nothing else."""
    done = wrangler(portal, "deploy", "--dry-run")
    raw, compressed = bundle_of(checked(portal))

    assert raw == pytest.approx(uploaded(done)[0], abs=0.01)
    assert compressed == pytest.approx(uploaded(done)[1], rel=0.01)


@pytest.mark.parametrize(
    ("file", "before", "after", "expected"),
    [
        ("astro.config.mjs", 'output: "server"', 'output: "static"', {"astro_prerendered"}),
        ("src/middleware.ts", '"/.well-known/", ', "", {"astro_middleware_guards"}),
        ("src/pages/oauth/token.ts", "prerender = false", "prerender = true", {"astro_prerendered"}),
        ("wrangler.jsonc", '"binding": "DB"', '"binding": "DATA"', {"config_redirect_stale"}),
        ("wrangler.jsonc", '"2026-09-09"', '"2026-09-10"', {"config_redirect_stale"}),
        ("package.json", '"^4.125.0"', '"^4.125.0", "other": "1"', set()),
        ("dist/server/wrangler.json", '"observability"', '"observabilty"', {"key_unknown"}),
        ("node_modules/astro/package.json", '"version": "7', '"version": "6', {"astro_versions_differ"}),
        (".wrangler/deploy/config.json", "server/wrangler.json", "server/gone.json", {"config_redirect_broken"}),
    ],
)
def test_a_fault_planted_in_a_built_portal_is_found(
    portal: Path, tmp_path: Path, file: str, before: str, after: str, expected: set[str]
) -> None:
    """One at a time, in what Astro and people wrote."""
    copy = tmp_path / "portal"
    shutil.copytree(portal, copy)
    text = (copy / file).read_text()
    assert text.count(before) >= 1
    (copy / file).write_text(text.replace(before, after))

    assert {code for code, *_ in found(checked(copy))} == expected


def test_the_demo_workspace_is_clean_and_really_builds(tmp_path: Path) -> None:
    """Its faults are in its documents, not in its portal."""
    demo = tmp_path / "demo"
    make_workspace(demo, datetime.now(UTC))
    check = tools_in(workers)["workers_check"]
    before = run(check, App(str(demo), {}), {}).model_dump(by_alias=True)
    built(demo / "apps" / "auth-portal")
    after = run(check, App(str(demo), {}), {}).model_dump(by_alias=True)

    assert (before["status"], found(before), before["data"]["apps"][0]["bundle"]) == ("complete", [], None)
    assert (after["status"], found(after)) == ("complete", [])
    assert after["data"]["apps"][0]["bundle"]["parts"] > 5
