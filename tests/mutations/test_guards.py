"""Every guard is covered: taking it away turns a test red."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.mutations import (
    d1,
    foundation,
    http,
    knowledge,
    kv,
    masking,
    oauth,
    remote,
    search,
    tokens,
    validation,
    workers,
)
from tests.mutations.guard import Guard

ROOT = Path(__file__).parents[2]


GUARDS = [
    *validation.GUARDS,
    *foundation.GUARDS,
    *http.GUARDS,
    *knowledge.GUARDS,
    *search.GUARDS,
    *d1.GUARDS,
    *masking.GUARDS,
    *remote.GUARDS,
    *tokens.GUARDS,
    *workers.GUARDS,
    *kv.GUARDS,
    *oauth.GUARDS,
]


@pytest.mark.long
@pytest.mark.timeout(300)
@pytest.mark.parametrize("guard", GUARDS, ids=lambda guard: f"{guard.file}: {guard.line[:40]}")
def test_a_test_goes_red_when_the_guard_is_removed(guard: Guard, tmp_path: Path) -> None:
    """A copy of the project without the guard fails the tests named beside it."""
    for name in ("mcp_daan", "tests", "knowledge", "bench"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__", "node_modules"))
    for name in ("pyproject.toml", "requirements-semantic.txt"):
        shutil.copy(ROOT / name, tmp_path)
    # What npm installed once serves every copy.
    (ROOT / "build").mkdir(exist_ok=True)
    (tmp_path / "build").symlink_to(ROOT / "build")
    path = tmp_path / "mcp_daan" / guard.file
    text = path.read_text(encoding="utf-8")
    assert text.count(guard.line) >= 1, "the guard has moved: mend this list"
    path.write_text(text.replace(guard.line, guard.without), encoding="utf-8")

    # Without its guard a test may wait for ever, even for its own end: a thread ends all of it, as red.
    options = ["-q", "-x", "-p", "no:cacheprovider", "--timeout-method=thread"]
    command = [sys.executable, "-m", "pytest", *options, *guard.tests.split()]
    done = subprocess.run(
        command, cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(tmp_path)}, capture_output=True, text=True
    )

    assert done.returncode == 1, done.stdout[-2000:]
