"""The demo's git history: a few commits on `main`, and two branches that know more."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from mcp_daan.errors import Unavailable

MAIN = "main"
Tree = dict[str, bytes]


@dataclass(frozen=True)
class Commit:
    """One commit *days* ago with its *files*; *start* names the branch that a new branch leaves."""

    branch: str
    days: int
    author: str
    subject: str
    files: Tree
    tag: str | None = None
    start: str | None = None


def make_repository(folder: Path, commits: Sequence[Commit], now: datetime) -> None:
    """Make *folder* a git repository of *commits* with `main` checked out; its files stand there already.

    Nothing of the user's own git is read: neither settings nor templates nor hooks.
    Raises Unavailable when git is absent or fails.
    """
    _git(folder, "init", "--quiet", "--template=")
    _git(folder, "symbolic-ref", "HEAD", f"refs/heads/{MAIN}")
    _git(folder, "fast-import", "--quiet", "--date-format=raw", stdin=_stream(commits, now))
    _git(folder, "reset", "--quiet")


def _stream(commits: Sequence[Commit], now: datetime) -> bytes:
    tips: dict[str, int] = {}
    parts: list[bytes] = []
    for mark, commit in enumerate(commits, 1):
        moment = int((now - timedelta(days=commit.days)).timestamp())
        who = f"{commit.author} <{commit.author.lower()}@portal.example> {moment} +0000"
        parent = tips.get(commit.branch) or tips.get(commit.start or "")
        parts.append(f"commit refs/heads/{commit.branch}\nmark :{mark}\ncommitter {who}\n".encode())
        parts.append(_data(commit.subject.encode()))
        if parent:
            parts.append(f"from :{parent}\n".encode())
        for path, contents in commit.files.items():
            parts += (f"M 100644 inline {path}\n".encode(), _data(contents))
        if commit.tag:
            parts.append(f"reset refs/tags/{commit.tag}\nfrom :{mark}\n\n".encode())
        tips[commit.branch] = mark
    return b"".join(parts)


def _data(contents: bytes) -> bytes:
    return b"data %d\n%s\n" % (len(contents), contents)


def _git(folder: Path, *arguments: str, stdin: bytes = b"") -> None:
    program = shutil.which("git")
    if program is None:
        raise Unavailable("git was not found.", advice="Install git, and run `mcp-daan demo` again.")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    environment |= {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_SYSTEM": os.devnull}
    settings = ("-c", "core.autocrlf=false", "-c", f"core.hooksPath={os.devnull}", "-c", "core.fsmonitor=false")
    done = subprocess.run(
        [program, "-C", os.fspath(folder), *settings, *arguments], env=environment, input=stdin, capture_output=True
    )
    if done.returncode:
        raise Unavailable(
            f"`git {arguments[0]}` failed while the demo workspace was made.",
            advice=f"Check that `{folder.name}` can be written, and that git is 2.20 or newer.",
        )
