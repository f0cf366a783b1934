"""What the team learned: one file a lesson, and what people wrote by hand in LESSONS-LEARNED.md."""

import hashlib
import json
import os
import re
import stat
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import get_args

from mcp_daan.knowledge.base import KnowledgeBase
from mcp_daan.knowledge.lessons.handwritten import handwritten
from mcp_daan.knowledge.lessons.wording import guarded, normalised, unguarded
from mcp_daan.knowledge.markdown import front_matter
from mcp_daan.protocol import Component

FOLDER = "lessons"
VIEW = "LESSONS-LEARNED.md"
# The longest lesson that can be written, four bytes a character and each line guarded, is smaller.
FILE_BYTES = 512 * 1024
VIEW_BYTES = 8 * 2**20
NAME = re.compile(r"\w[\w .-]*\.md")
COMPONENTS: tuple[str, ...] = get_args(Component)
_ID = re.compile(r"[\w-]{1,64}")
_PARTS = ("Problem", "Solution", "Evidence")


@dataclass(frozen=True)
class Lesson:
    """A problem, how it was solved, and where that is written.

    `date` is ISO; `path` as `KnowledgeBase.relative` gives it; `merged`: the branch in hand has it;
    `line` is the heading's for a lesson written by hand; `written` tells which of one day is newer.
    """

    id: str
    title: str
    component: Component | None
    date: str | None
    author: str | None
    problem: str
    solution: str
    evidence: str | None
    path: str
    branch: str | None = None
    merged: bool = True
    superseded_by: str | None = None
    supersedes: str | None = None
    line: int | None = None
    written: int = field(default=0, compare=False)

    @property
    def words(self) -> tuple[str, str, str]:
        """What lessons are compared by."""
        return self.title, self.problem, self.solution


def lesson_id(title: str, problem: str, solution: str) -> str:
    """The id that this content has wherever and whenever it is written."""
    content = [unicodedata.normalize("NFC", each) for each in (title, problem, solution)]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:12]


def read_lessons(base: KnowledgeBase) -> list[Lesson]:
    """The lessons of the files at hand, newest first: `lessons/*.md`, and those written by hand.

    Files that are no lessons, or are torn, are passed over.
    """
    if base.folder.is_symlink():
        return []
    folder = base.folder / FOLDER
    files = {name: _text(folder / name, FILE_BYTES) for name in lesson_names(folder)}
    return assembled(base.component, files, _text(base.folder / VIEW, VIEW_BYTES)[0])


def assembled(component: str, files: Mapping[str, tuple[str, int]], view: str) -> list[Lesson]:
    """The lessons in *files* (text and mtime by name) and those written by hand in *view*, newest first."""
    found: list[Lesson] = []
    for name, (text, written) in files.items():
        lesson = parse(text, f"{component}/{FOLDER}/{name}")
        if lesson is not None:
            found.append(replace(lesson, written=written))
    return newest_first(with_successors([*unique(found), *from_view(view, f"{component}/{VIEW}")]))


def passed_over(base: KnowledgeBase) -> list[str]:
    """The files that should hold lessons and cannot be read as such, as `data` shows paths."""
    if base.folder.is_symlink():
        return []
    folder = base.folder / FOLDER
    unread = [
        f"{base.component}/{FOLDER}/{name}"
        for name in lesson_names(folder)
        if parse(_text(folder / name, FILE_BYTES)[0], name) is None
    ]
    view = base.folder / VIEW
    if view.is_file() and view.stat().st_size and not _text(view, VIEW_BYTES)[0]:
        unread.append(f"{base.component}/{VIEW}")
    return unread


def lesson_names(folder: Path) -> list[str]:
    """The names in *folder* that a lesson file may have, sorted; [] where there is no such folder of ours."""
    if folder.is_symlink():
        return []
    try:
        with os.scandir(folder) as entries:
            return sorted(entry.name for entry in entries if NAME.fullmatch(entry.name))
    except OSError:  # no lesson was ever written here
        return []


def from_view(text: str, path: str) -> list[Lesson]:
    """The lessons that people wrote in LESSONS-LEARNED.md by hand."""
    return [
        Lesson(
            id=each.id,
            title=each.title,
            component=each.component,
            date=each.date,
            author=None,
            problem=each.problem,
            solution=each.solution,
            evidence=each.evidence,
            path=path,
            line=each.line,
        )
        for each in handwritten(text)
    ]


def compose(lesson: Lesson) -> str:
    """The text of the lesson's file: markdown, with what is no prose in its front matter."""
    scalars = {
        "id": lesson.id,
        "title": lesson.title,
        "component": lesson.component,
        "date": lesson.date,
        "author": lesson.author,
        "supersedes": lesson.supersedes,
    }
    # A JSON string is a YAML string.
    matter = [f"{name}: {json.dumps(value, ensure_ascii=False)}" for name, value in scalars.items() if value]
    texts = zip(_PARTS, (lesson.problem, lesson.solution, lesson.evidence), strict=True)
    body = [f"## {part}\n\n{guarded(text, 2)}\n" for part, text in texts if text]
    return "\n".join(["---", *matter, "---", "", f"# {lesson.title}", "", *body])


@lru_cache(maxsize=2048)  # every call looks at every file anew, and most are as they were
def parse(text: str, path: str) -> Lesson | None:
    """The lesson in a file's *text*; None when it is torn or no lesson."""
    text = text.replace("\r\n", "\n")
    values, skipped = front_matter(text)
    parts = _split(text.split("\n")[skipped:])
    problem, solution = parts.get("Problem"), parts.get("Solution")
    title = " ".join(values.get("title", "").split())
    if not (problem and solution and title and _ID.fullmatch(values.get("id", ""))):
        return None
    return Lesson(
        id=values["id"],
        title=title,
        component=_component(values.get("component")),
        date=_date(values.get("date")),
        author=values.get("author"),
        problem=problem,
        solution=solution,
        evidence=parts.get("Evidence"),
        path=path,
        supersedes=values.get("supersedes"),
    )


def unique(lessons: Iterable[Lesson]) -> Iterator[Lesson]:
    """*lessons* without those met before: the same one written on two branches is one.

    A copy that was given other words but kept its id is a lesson of its own.
    """
    seen: dict[str, Lesson] = {}
    for lesson in lessons:
        known = seen.get(lesson.id)
        if known is not None and known.words != lesson.words:
            lesson = replace(lesson, id=lesson_id(*lesson.words))
        if lesson.id not in seen:
            seen[lesson.id] = lesson
            yield lesson


def with_successors(lessons: list[Lesson]) -> list[Lesson]:
    """*lessons*, each with the id of the newest of them that supersedes it; every machine finds the same one."""
    oldest_first = sorted(lessons, key=lambda each: (each.date or "", each.path))
    successors = {each.supersedes: each.id for each in oldest_first if each.supersedes not in (None, each.id)}
    return [replace(each, superseded_by=successors[each.id]) if each.id in successors else each for each in lessons]


def newest_first(lessons: Iterable[Lesson]) -> list[Lesson]:
    """*lessons* by date, those of one day by when they were written, undated ones last."""
    by_name = sorted(lessons, key=lambda each: (each.path, each.line or 0))
    return sorted(by_name, key=lambda each: (each.date or "", each.written), reverse=True)


def _split(lines: list[str]) -> dict[str, str]:
    """The text under each of our headings; a heading of that name within a text is guarded, so it does not match."""
    places: dict[str, int] = {}
    for number, line in enumerate(lines):
        part = line.removeprefix("## ").rstrip()
        if line.startswith("## ") and part in _PARTS and part not in places:
            places[part] = number
    ends = [*sorted(places.values()), len(lines)]
    return {
        part: unguarded(normalised("\n".join(lines[start + 1 : ends[ends.index(start) + 1]])))
        for part, start in places.items()
    }


def _component(name: str | None) -> Component | None:
    return name if name in COMPONENTS else None  # type: ignore[return-value]


def _date(text: str | None) -> str | None:
    try:
        return date.fromisoformat((text or "")[:10]).isoformat()
    except ValueError:
        return None


def _text(file: Path, largest: int) -> tuple[str, int]:
    """The file's text and mtime in ns; nothing of what is no regular UTF-8 file of at most *largest* bytes."""
    with suppress(OSError, UnicodeDecodeError):  # gone meanwhile or not ours: no reason to hide the other lessons
        found = file.lstat()
        if stat.S_ISREG(found.st_mode) and found.st_size <= largest:
            return file.read_bytes().decode("utf-8"), found.st_mtime_ns
    return "", 0
