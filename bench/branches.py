"""How long branches take to look at, in a large history that this makes: python -m bench.branches [COMMITS BRANCHES].

Every branch has a lesson that the default branch lacks, one in ten of them written by hand; one commit in eight
matches the pattern. Prints a table of the first call in a process, the second, and the first of another process.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from mcp_daan.app import App
from mcp_daan.knowledge.branches import branch_lessons, foreign_lessons
from mcp_daan.knowledge.lessons.lessons import Lesson, compose, lesson_id

COMMITS, BRANCHES = 40_000, 900
FOLDER = "docs/knowledge/backend"
SUBJECTS = (
    "Fix the auth loop,Tidy up,Add a page,Write docs,Rename things,Bump packages,Speed up tests,Move files".split(",")
)
BEGIN = 1_700_000_000


def made(root: Path, commits: int = COMMITS, branches: int = BRANCHES) -> None:
    """A repository with so many commits and branches in *root*, checked out on `main`."""
    subprocess.run(["git", "init", "--quiet", "--initial-branch", "main", str(root)], check=True)
    stream = b"".join(_stream(commits, branches))
    subprocess.run(["git", "-C", str(root), "fast-import", "--quiet"], input=stream, check=True)
    subprocess.run(["git", "-C", str(root), "checkout", "--quiet", "main"], check=True)


def _stream(commits: int, branches: int) -> Iterator[bytes]:
    trunk = commits // 2
    each = max((commits - trunk) // branches, 1)
    mark = 0
    for number in range(trunk):
        mark += 1
        path, text = f"src/{number % 97}/{number % 13}.ts", f"export const n = {number};\n"
        if number == 0:
            path, text = f"{FOLDER}/README.md", "# Ours\n"
        yield _commit("refs/heads/main", mark, number, "" if number == 0 else f":{mark - 1}", {path: text})
    for branch in range(branches):
        name = f"refs/{'heads' if branch % 3 else 'remotes/origin'}/feature/{branch}"
        parent = f":{1 + branch * 7919 % trunk}"
        for number in range(each):
            mark += 1
            files = {f"src/new{branch}.ts": f"export const b = {number};\n"}
            if number == each // 2:
                files = _lesson(branch)
            yield _commit(name, mark, trunk + branch * each + number, parent, files)
            parent = f":{mark}"


def _lesson(branch: int) -> dict[str, str]:
    if branch % 10 == 0:
        return {f"{FOLDER}/LESSONS-LEARNED.md": f"# Lessons learned\n\n## By hand {branch}\n\nSeen on {branch}.\n"}
    words = f"Lesson {branch}", f"Branch {branch} went wrong.", f"It was mended on {branch}."
    lesson = Lesson(lesson_id(*words), words[0], "d1", "2026-11-22", "Somebody", words[1], words[2], None, "")
    return {f"{FOLDER}/lessons/2026-11-22-lesson-{branch}-{lesson.id[:8]}.md": compose(lesson)}


def _commit(ref: str, mark: int, number: int, parent: str, files: dict[str, str]) -> bytes:
    subject = f"{SUBJECTS[number % len(SUBJECTS)]} ({number})".encode()
    who = f"Somebody <somebody@example.test> {BEGIN + number * 60} +0000"
    parts = [
        f"commit {ref}\nmark :{mark}\nauthor {who}\ncommitter {who}\ndata {len(subject)}\n".encode(),
        subject,
        b"\n",
    ]
    if parent:
        parts.append(f"from {parent}\n".encode())
    for path, text in files.items():
        parts.append(f"M 100644 inline {path}\ndata {len(text.encode())}\n{text}\n".encode())
    return b"".join(parts)


def looked(root: Path) -> tuple[float, int, int]:
    """Seconds that the validation waits for the branches, and how many rows and lessons they gave."""
    app = App(str(root), {})
    base, grep = app.knowledge, app.settings.git.grep
    begin = time.perf_counter()
    rows = branch_lessons(base, grep)
    taken = time.perf_counter() - begin
    lessons = foreign_lessons(base, [])
    app.close()
    return taken, len(rows), len(lessons)


def measured(root: Path) -> list[tuple[str, float]]:
    """Milliseconds: the first call, the second, the first of another process."""
    cold, rows, lessons = looked(root)
    warm, *_ = looked(root)
    command = [sys.executable, "-m", "bench.branches", "--again", str(root)]
    again = float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    assert (rows, lessons) == (looked(root)[1:]), "warm and cold differ"
    return [("cold", cold * 1000), ("warm, same process", warm * 1000), ("warm, another process", again * 1000)]


def main() -> None:
    """Make the history, measure, print."""
    if sys.argv[1:2] == ["--again"]:
        sys.stdout.write(f"{looked(Path(sys.argv[2]))[0]}\n")
        return
    commits, branches = (int(each) for each in sys.argv[1:3]) if len(sys.argv) > 2 else (COMMITS, BRANCHES)
    with tempfile.TemporaryDirectory(prefix="daan-branches-") as folder:
        os.environ["XDG_CACHE_HOME"] = f"{folder}/cache"
        root = Path(folder, "repository")
        begin = time.perf_counter()
        made(root, commits, branches)
        sys.stdout.write(f"{commits} commits on {branches} branches, made in {time.perf_counter() - begin:.1f} s\n\n")
        sys.stdout.write("| call | ms |\n|---|---:|\n")
        for name, milliseconds in measured(root):
            sys.stdout.write(f"| {name} | {milliseconds:.0f} |\n")


if __name__ == "__main__":
    main()
