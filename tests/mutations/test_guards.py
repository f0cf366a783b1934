"""Every guard is covered: taking it away turns a test red."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Guard:
    """A line that protects, what stands there without it, and the tests that must notice."""

    file: str
    line: str
    without: str
    tests: str


GUARDS: list[Guard] = [
    Guard(
        "toolbox.py", 'extra="forbid", strict=True', 'extra="ignore", strict=True', "tests/foundation/test_toolbox.py"
    ),
    Guard("toolbox.py", 'extra="forbid", strict=True', 'extra="forbid"', "tests/foundation/test_toolbox.py"),
    Guard("toolbox.py", "clean = app.redact(answer)", "clean = answer", "tests/foundation/test_toolbox.py"),
    Guard(
        "toolbox.py", "if len(clean.encode()) > app.max_answer_bytes:", "if False:", "tests/foundation/test_toolbox.py"
    ),
    Guard("paging.py", "or seen != mark", "", "tests/foundation/test_paging.py"),
    Guard("scrub.py", "segments[-1] in _HARMLESS_LAST", "False", "tests/foundation/test_scrub.py"),
    Guard(
        "config.py",
        'name.startswith("DAAN_") and name not in OWN_VARIABLES',
        "False",
        "tests/foundation/test_config.py",
    ),
    Guard("knowledge/repository.py", '"core.fsmonitor": "false",', "", "tests/lessons/test_repository.py"),
    Guard("knowledge/repository.py", '"log.showSignature": "false",', "", "tests/lessons/test_repository.py"),
    Guard(
        "knowledge/repository.py",
        '"GIT_ALLOW_PROTOCOL": "none",',
        '"GIT_TRACE": "0",',
        "tests/lessons/test_repository.py",
    ),
    Guard(
        "knowledge/repository.py",
        'if not name.startswith("GIT_") or name in _KEPT',
        "",
        "tests/lessons/test_repository.py",
    ),
    Guard("knowledge/repository.py", "clock.start()", "pass", "tests/lessons/test_repository.py"),
    Guard("knowledge/branches.py", '"--basic-regexp", ', "", "tests/lessons/test_branches.py"),
    Guard("knowledge/lessons.py", "stat.S_ISREG(found.st_mode) and", "", "tests/lessons/test_lessons.py"),
    Guard("knowledge/wording.py", "if redact(text) != text:", "if False:", "tests/lessons/test_wording.py"),
    Guard("knowledge/wording.py", "if _UNSEEN.search(text):", "if False:", "tests/lessons/test_wording.py"),
    Guard("knowledge/wording.py", "or _RESERVED.match(line)", "", "tests/lessons/test_wording.py"),
    Guard(
        "knowledge/publishing.py",
        "fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)",
        "pass",
        "tests/lessons/test_appending.py tests/lessons/test_processes.py",
    ),
    Guard(
        "knowledge/publishing.py", "if time.monotonic() >= deadline:", "if False:", "tests/lessons/test_appending.py"
    ),
    Guard(
        "knowledge/appending.py", "        _judge(draft, lesson, now, near)\n", "", "tests/lessons/test_processes.py"
    ),
    Guard(
        "knowledge/appending.py",
        "if base.folder.is_symlink() or folder.is_symlink():",
        "if False:",
        "tests/lessons/test_appending.py",
    ),
    Guard(
        "knowledge/appending.py",
        "if same is not None:",
        "if same is not None and not draft.force:",
        "tests/lessons/test_appending.py",
    ),
    Guard(
        "knowledge/view.py",
        'if base.origin == "workspace" and not repository.on_default_branch(base.root):',
        "if False:",
        "tests/lessons/test_view.py",
    ),
]


@pytest.mark.long
@pytest.mark.timeout(300)
@pytest.mark.parametrize("guard", GUARDS, ids=lambda guard: f"{guard.file}: {guard.line[:40]}")
def test_a_test_goes_red_when_the_guard_is_removed(guard: Guard, tmp_path: Path) -> None:
    """A copy of the project without the guard fails the tests named beside it."""
    for name in ("mcp_daan", "tests", "knowledge"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__", "node_modules"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    path = tmp_path / "mcp_daan" / guard.file
    text = path.read_text(encoding="utf-8")
    assert text.count(guard.line) >= 1, "the guard has moved: mend this list"
    path.write_text(text.replace(guard.line, guard.without), encoding="utf-8")

    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *guard.tests.split()]
    done = subprocess.run(
        command, cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(tmp_path)}, capture_output=True, text=True
    )

    assert done.returncode == 1, done.stdout[-2000:]
