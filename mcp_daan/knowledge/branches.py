"""What other branches know: their lessons, and the commits that look like some."""

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from mcp_daan.knowledge.base import KnowledgeBase
from mcp_daan.knowledge.lessons.lessons import (
    FOLDER,
    NAME,
    VIEW,
    Lesson,
    from_view,
    parse,
    read_lessons,
)
from mcp_daan.knowledge.objects import objects, texts
from mcp_daan.knowledge.repository import NO_PROGRAMS, RAW, git, head_branch, head_commit, is_repository
from mcp_daan.protocol import Model

# Newest first; beyond these a team reads no more.
COMMITS = 200
REFS = 1000

_BRANCHES = ("refs/heads", "refs/remotes")
_OTHERS = ("--branches", "--remotes", "--not", "HEAD")
_FIELDS = "%x01%H%x1f%ct%x1f%S%x1f%s"
_COMMIT = re.compile(rb"\x01([0-9a-f]{40,64})\x1f(\d+)\x1f([^\x1f]*)\x1f(.*)", re.S)


class BranchLesson(Model):
    """A commit, or a lesson in it (then with `path`), and a branch that has it; `missing`: HEAD has not."""

    branch: str
    commit: str
    subject: str
    date: str
    path: str | None = None
    missing: bool


@dataclass(frozen=True)
class Commit:
    """A commit, the ref by which it was found, and the blobs that it put at paths."""

    commit: str
    seconds: int
    ref: str
    subject: str
    blobs: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Foreign:
    """A lesson that the files at hand lack, the ref that has it, and the commit that wrote it.

    `commit` is None when HEAD's history has it already: then HEAD once had the lesson and took it out.
    """

    lesson: Lesson
    ref: str
    commit: Commit | None


def branch_lessons(base: KnowledgeBase, grep: str) -> list[BranchLesson]:
    """Step 2 of the validation: lessons and matching commits on every local and remote branch, newest first.

    First the lessons that HEAD lacks, one for each path, whether their commit matches *grep* or not; then at most
    200 commits that match *grep* (a basic regular expression, as `git log --grep` reads it) and HEAD lacks, then at
    most 200 that HEAD has. `missing` tells them apart. [] without git, outside the workspace, before the first commit.
    Raises Unavailable or TooSlow when git cannot answer, InvalidArguments for a *grep* that it does not understand.
    """
    if not _asked(base):
        return []
    here = head_branch(base.root) or "HEAD"
    foreign = [(each, each.commit) for each in foreign_lessons(base, read_lessons(base)) if each.commit is not None]
    lessons = [_lesson_row(*each) for each in sorted(foreign, key=lambda each: each[1].seconds, reverse=True)]
    shown = {each.commit for each in lessons}
    elsewhere = [each for each in _commits(base, [f"--grep={grep}", *_OTHERS]) if each.commit not in shown]
    own = _commits(base, [f"--grep={grep}", "HEAD"])
    return [
        *lessons,
        *(_commit_row(each, branch_name(each.ref), missing=True) for each in elsewhere),
        *(_commit_row(each, here, missing=False) for each in own),
    ]


def foreign_lessons(base: KnowledgeBase, at_hand: Iterable[Lesson]) -> list[Foreign]:
    """The lessons at the tip of any local or remote branch that are not *at_hand*, each once.

    Local branches are named before remote ones. Each file is read once, however many branches have it.
    """
    if not _asked(base):
        return []
    known = {each.id for each in at_hand}
    found: dict[str, _Found] = {}
    for each in _tips(base):
        if each.lesson.id not in known:
            found.setdefault(each.lesson.id, each)
    if not found:
        return []
    writers = {blob: commit for commit in reversed(_writers(base)) for _, blob in commit.blobs}
    past = _past(base) if any(each.lesson.line is not None for each in found.values()) else frozenset()
    return [
        Foreign(each.lesson, each.ref, None if each.lesson.id in past else writers.get(each.blob))
        for each in found.values()
    ]


def branch_name(ref: str) -> str:
    """`feature/x` or `origin/feature/x` for a full ref's name."""
    return ref.removeprefix("refs/heads/").removeprefix("refs/remotes/")


@dataclass(frozen=True)
class _Found:
    lesson: Lesson
    ref: str
    blob: str


def _asked(base: KnowledgeBase) -> bool:
    return base.origin == "workspace" and is_repository(base.root) and head_commit(base.root) is not None


def _commits(base: KnowledgeBase, arguments: list[str], paths: Iterable[str] = ()) -> list[Commit]:
    # --basic-regexp: the repository's grep.patternType must not change what the pattern means.
    options = ["--basic-regexp", "-z", f"--max-count={COMMITS}", f"--format={_FIELDS}", *NO_PROGRAMS]
    return list(_parsed(git(base.root, "log", *options, *arguments, "--", *paths)))


def _writers(base: KnowledgeBase) -> list[Commit]:
    """The commits that HEAD lacks and that wrote lesson files, newest first."""
    return _commits(base, [*RAW, *_OTHERS], [f"{base.component}/{FOLDER}", f"{base.component}/{VIEW}"])


def _past(base: KnowledgeBase) -> frozenset[str]:
    """The ids of what was once written by hand in HEAD's history: a branch that still has it brings nothing new."""
    commits = _commits(base, [*RAW, "HEAD"], [f"{base.component}/{VIEW}"])
    blobs = dict.fromkeys(blob for commit in commits for _, blob in commit.blobs)
    return frozenset(lesson.id for _, text in texts(base.root, list(blobs)) for lesson in from_view(text, VIEW))


def _parsed(output: bytes) -> Iterator[Commit]:
    """The commits of `git log -z` with our format, with or without `--raw`."""
    commit, blobs, blob = None, list[tuple[str, str]](), ""
    for part in output.split(b"\0"):
        header = _COMMIT.fullmatch(part.lstrip(b"\n"))
        if blob:
            blobs.append((os.fsdecode(part), blob))
            blob = ""
        elif header:
            if commit is not None:
                yield replace(commit, blobs=tuple(blobs))
            name, seconds, ref, subject = (each.decode("utf-8", "replace") for each in header.groups())
            commit, blobs = Commit(name, int(seconds), ref, subject), []
        elif part.lstrip(b"\n").startswith(b":"):
            blob = part.split(b" ")[-2].decode("ascii", "replace")
    if commit is not None:
        yield replace(commit, blobs=tuple(blobs))


def _tips(base: KnowledgeBase) -> Iterator[_Found]:
    """Every lesson at the tip of every branch; the first to have a file speaks for the others."""
    listed = git(
        base.root,
        *("for-each-ref", "--sort=-committerdate", f"--count={REFS}", "--format=%(objectname) %(symref) %(refname)"),
        *_BRANCHES,
    )
    rows = [line.split(" ", 2) for line in listed.decode("utf-8", "replace").splitlines()]
    # origin/HEAD is another name for a branch; local branches first, they are what the team works on.
    tips = sorted(((ref, tip) for tip, symbolic, ref in rows if not symbolic), key=lambda tip: tip[0].split("/")[1])
    folders = objects(base.root, [f"{tip}:./{base.component}/{FOLDER}" for _, tip in tips], b"tree")
    views = objects(base.root, [f"{tip}:./{base.component}/{VIEW}" for _, tip in tips], b"blob")
    places: dict[str, tuple[str, str]] = {}
    for (ref, _), folder, view in zip(tips, folders, views, strict=True):
        for name, blob in _entries(*folder) if folder else ():
            places.setdefault(blob, (ref, f"{base.component}/{FOLDER}/{name}"))
        if view:
            places.setdefault(view[0], (ref, f"{base.component}/{VIEW}"))
    for blob, text in texts(base.root, list(places)):
        ref, path = places[blob]
        lessons = from_view(text, path) if path.endswith(f"/{VIEW}") else [parse(text, path)]
        yield from (_Found(replace(each, branch=branch_name(ref), merged=False), ref, blob) for each in lessons if each)


def _entries(tree: str, contents: bytes) -> Iterator[tuple[str, str]]:
    """(name, blob) of the lesson files in a tree object: mode, space, name, NUL, hash in bytes, and so on."""
    width, place = len(tree) // 2, 0
    while place < len(contents):
        end = contents.index(b"\0", place)
        mode, name = contents[place:end].split(b" ", 1)
        blob = contents[end + 1 : end + 1 + width].hex()
        place = end + 1 + width
        if mode.startswith(b"100") and NAME.fullmatch(os.fsdecode(name)):
            yield os.fsdecode(name), blob


def _lesson_row(each: Foreign, commit: Commit) -> BranchLesson:
    row = _commit_row(commit, branch_name(each.ref), missing=True)
    return row.model_copy(update={"path": each.lesson.path})


def _commit_row(commit: Commit, branch: str, *, missing: bool) -> BranchLesson:
    date = datetime.fromtimestamp(commit.seconds, UTC).date().isoformat()
    return BranchLesson(branch=branch, commit=commit.commit, subject=commit.subject, date=date, missing=missing)
