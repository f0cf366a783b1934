"""Guards of the knowledge room."""

from tests.mutations.guard import Guard

GUARDS = [
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
    Guard("knowledge/lessons/lessons.py", "stat.S_ISREG(found.st_mode) and", "", "tests/lessons/test_lessons.py"),
    Guard("knowledge/lessons/wording.py", "if redact(text) != text:", "if False:", "tests/lessons/test_wording.py"),
    Guard("knowledge/lessons/wording.py", "if _UNSEEN.match(each):", "if False:", "tests/lessons/test_wording.py"),
    Guard("knowledge/lessons/wording.py", "or _RESERVED.match(line)", "", "tests/lessons/test_wording.py"),
    Guard(
        "knowledge/lessons/publishing.py",
        "fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)",
        "pass",
        "tests/lessons/test_appending.py tests/lessons/test_processes.py",
    ),
    Guard(
        "knowledge/lessons/publishing.py",
        "if time.monotonic() >= deadline:",
        "if False:",
        "tests/lessons/test_appending.py",
    ),
    Guard(
        "knowledge/lessons/appending.py",
        "        _judge(draft, lesson, now, near)\n",
        "",
        "tests/lessons/test_processes.py",
    ),
    Guard(
        "knowledge/lessons/appending.py",
        "if base.folder.is_symlink() or folder.is_symlink():",
        "if False:",
        "tests/lessons/test_appending.py",
    ),
    Guard(
        "knowledge/lessons/appending.py",
        "if same is not None:",
        "if same is not None and not draft.force:",
        "tests/lessons/test_appending.py",
    ),
    Guard(
        "knowledge/lessons/view.py",
        'if base.origin == "workspace" and not repository.on_default_branch(base.root):',
        "if False:",
        "tests/lessons/test_view.py",
    ),
]
