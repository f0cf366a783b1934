"""What other branches know: their lessons, and the commits that look like some."""

import hashlib
import json
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from pydantic import TypeAdapter

from mcp_daan.errors import Unavailable
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
from mcp_daan.knowledge.remembering import remembered
from mcp_daan.knowledge.repository import NO_PROGRAMS, RAW, git, head_commit, is_repository, lines, marked
from mcp_daan.protocol import Model

# Newest first; beyond these a team reads no more.
COMMITS = 200
REFS = 10_000

_BRANCHES = ("refs/heads", "refs/remotes")
_OTHERS = ("--branches", "--remotes", "--not", "HEAD")
_ABOUT = ("--is-inside-work-tree", "--is-shallow-repository", "--absolute-git-dir", "HEAD", "--abbrev-ref", "HEAD")
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


_ROWS = TypeAdapter(list[BranchLesson])


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
    history = _history(base)
    if history is None:
        return []
    at_hand = read_lessons(base)
    here = history.here
    key = [history.state, "rows", base.component, grep, here, *sorted(each.id for each in at_hand)]
    said = remembered(key, lambda: _ROWS.dump_json(_rows(history, grep, here, at_hand)))
    return _ROWS.validate_json(said)


def foreign_lessons(base: KnowledgeBase, at_hand: Iterable[Lesson]) -> list[Foreign]:
    """The lessons at the tip of any local or remote branch that are not *at_hand*, each once.

    Local branches are named before remote ones. Each file is read once, however many branches have it.
    """
    history = _history(base)
    return _foreign(history, at_hand) if history is not None else []


def branch_name(ref: str) -> str:
    """`feature/x` or `origin/feature/x` for a full ref's name."""
    return ref.removeprefix("refs/heads/").removeprefix("refs/remotes/")


@dataclass(frozen=True)
class _Found:
    lesson: Lesson
    ref: str
    blob: str


@dataclass(frozen=True)
class _History:
    """All branches as they are now: what is asked of them is remembered for as long as they stay so.

    `here` is the branch that HEAD is on, or HEAD.
    """

    base: KnowledgeBase
    state: str
    here: str

    def commits(self, arguments: list[str], paths: Sequence[str] = (), *, most: int | None = COMMITS) -> list[Commit]:
        """The commits that `git log` gives, newest first, at most *most* of them."""
        # --basic-regexp: the repository's grep.patternType must not change what the pattern means.
        options = ["--basic-regexp", "-z", f"--format={_FIELDS}", *NO_PROGRAMS]
        options += [f"--max-count={most}"] if most is not None else []
        asked = ["log", *options, *arguments, "--", *paths]
        return list(_parsed(remembered([self.state, *asked], lambda: git(self.base.root, *asked))))

    def writers(self) -> list[Commit]:
        """The commits that HEAD lacks and that wrote lesson files, newest first."""
        component = self.base.component
        return self.commits([*RAW, *_OTHERS], [f"{component}/{FOLDER}", f"{component}/{VIEW}"], most=None)

    def past(self) -> frozenset[str]:
        """The ids of what was once written by hand in HEAD's history: a branch that still has it brings nothing new."""
        commits = self.commits([*RAW, "HEAD"], [f"{self.base.component}/{VIEW}"])
        blobs = dict.fromkeys(blob for commit in commits for _, blob in commit.blobs)
        said = remembered([self.state, "texts", *blobs], lambda: _packed(texts(self.base.root, blobs)))
        return frozenset(lesson.id for _, text in json.loads(said) for lesson in from_view(text, VIEW))

    def tips(self) -> list["_Found"]:
        """Every lesson at the tip of every branch; the first to have a file speaks for the others."""
        said = remembered([self.state, "tips", self.base.component], lambda: _packed(_tips(self.base)))
        found = []
        for blob, ref, path, text in json.loads(said):
            lessons = from_view(text, path) if path.endswith(f"/{VIEW}") else [parse(text, path)]
            found += [
                _Found(replace(each, branch=branch_name(ref), merged=False), ref, blob) for each in lessons if each
            ]
        return found


def _history(base: KnowledgeBase) -> _History | None:
    """The branches that *base* may ask; None without git, outside the workspace, before the first commit."""
    if base.origin != "workspace" or not marked(base.root):
        return None
    try:
        # In one process: where a shallow history ends can change with all branches in their places.
        about = lines(base.root, "rev-parse", *_ABOUT)
    except Unavailable:
        if not is_repository(base.root) or head_commit(base.root) is None:
            return None
        raise
    if about[0] != "true":
        return None
    refs = git(base.root, "for-each-ref", "--format=%(objectname) %(symref) %(refname)", *_BRANCHES)
    whole = b"\0".join((os.fsencode(os.path.realpath(base.root)), os.fsencode("\0".join(about)), refs))
    return _History(base, hashlib.sha256(whole).hexdigest(), about[-1])


def _rows(history: _History, grep: str, here: str, at_hand: list[Lesson]) -> list[BranchLesson]:
    # Each of these walks the whole history once; together they take as long as the slowest.
    with ThreadPoolExecutor(2) as pool:
        others = pool.submit(history.commits, [f"--grep={grep}", *_OTHERS])
        ours = pool.submit(history.commits, [f"--grep={grep}", "HEAD"])
        found = _foreign(history, at_hand)
    foreign = [(each, each.commit) for each in found if each.commit is not None]
    lessons = [_lesson_row(*each) for each in sorted(foreign, key=lambda each: each[1].seconds, reverse=True)]
    shown = {each.commit for each in lessons}
    elsewhere = [each for each in others.result() if each.commit not in shown]
    own = ours.result()
    return [
        *lessons,
        *(_commit_row(each, branch_name(each.ref), missing=True) for each in elsewhere),
        *(_commit_row(each, here, missing=False) for each in own),
    ]


def _foreign(history: _History, at_hand: Iterable[Lesson]) -> list[Foreign]:
    known = {each.id for each in at_hand}
    found: dict[str, _Found] = {}
    for each in history.tips():
        if each.lesson.id not in known:
            found.setdefault(each.lesson.id, each)
    if not found:
        return []
    with ThreadPoolExecutor(1) as pool:
        wrote = pool.submit(history.writers)
        past = history.past() if any(each.lesson.line is not None for each in found.values()) else frozenset()
    writers = {blob: commit for commit in reversed(wrote.result()) for _, blob in commit.blobs}
    return [
        Foreign(each.lesson, each.ref, None if each.lesson.id in past else writers.get(each.blob))
        for each in found.values()
    ]


def _packed(rows: Iterable[tuple[str, ...]]) -> bytes:
    return json.dumps(list(rows)).encode()


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


def _tips(base: KnowledgeBase) -> Iterator[tuple[str, str, str, str]]:
    """(blob, ref, path, text) of each file of lessons at the tip of any branch, once."""
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
    yield from ((blob, *places[blob], text) for blob, text in texts(base.root, list(places)))


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
