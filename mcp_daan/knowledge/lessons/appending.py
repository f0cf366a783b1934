"""Write a lesson down, once."""

import hashlib
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from mcp_daan.errors import Conflict, NotFound, Refused, Unavailable
from mcp_daan.knowledge import repository
from mcp_daan.knowledge.base import KnowledgeBase
from mcp_daan.knowledge.lessons.lessons import FOLDER, Lesson, compose, lesson_id, read_lessons
from mcp_daan.knowledge.lessons.publishing import exclusive, publish, sweep, sync, translated
from mcp_daan.knowledge.lessons.similarity import SAME, Near, nearest
from mcp_daan.knowledge.lessons.wording import checked
from mcp_daan.protocol import Component, Model

SIMILAR = 3
_SLUG_LENGTH = 48
_HASH_LENGTHS = (8, 16, 64)


class SimilarLesson(Model):
    """A lesson that says something alike; `similarity` runs from 0 to 1."""

    id: str
    title: str
    similarity: float


@dataclass(frozen=True)
class Draft:
    """What is to be written down."""

    title: str
    problem: str
    solution: str
    component: Component
    evidence: str | None = None
    author: str | None = None
    force: bool = False
    supersedes: str | None = None


@dataclass(frozen=True)
class Appended:
    """The lesson as it was written, where, its twin if *force* passed over one, and its neighbours."""

    base: KnowledgeBase
    lesson: Lesson
    twin: SimilarLesson | None
    similar: list[SimilarLesson]


def append(base: KnowledgeBase, draft: Draft, *, today: date, redact: Callable[[str], str]) -> Appended:
    """Write *draft* to a file of its own under `lessons/`; when this returns, it is on the disk.

    An embedded base is copied to the user's data folder first; the answer's `base` says where the lesson is.
    Raises Refused for text that may not be kept, Conflict with `duplicateOf` and `similar` when the lesson stands
    there already or nearly so, NotFound for an unknown `supersedes`, Unavailable when it cannot be written.
    """
    lesson = _lesson(base, draft, today, redact)
    known = read_lessons(base)
    near = _near(lesson, known)
    _judge(draft, lesson, known, near)  # a refusal copies and makes nothing
    base = base.writable()
    folder = _folder(base)
    with exclusive(folder) as whole:
        if whole:
            sweep(folder)
        # Comparing takes time, so under the lock only what was written meanwhile is compared.
        before = {each.path for each in known}
        now = read_lessons(base)
        near = sorted([*near, *_near(lesson, [each for each in now if each.path not in before])], key=_by_nearness)
        _judge(draft, lesson, now, near)
        name = _publish(folder, lesson)
    others = [each for each in near if each.found.id != draft.supersedes]
    twin = next((_shown(each) for each in others if each.similarity >= SAME), None)
    return Appended(base, replace(lesson, path=f"{base.component}/{FOLDER}/{name}"), twin, _neighbours(others, twin))


def _lesson(base: KnowledgeBase, draft: Draft, today: date, redact: Callable[[str], str]) -> Lesson:
    title = checked("title", draft.title, redact)
    problem = checked("problem", draft.problem, redact)
    solution = checked("solution", draft.solution, redact)
    return Lesson(
        id=lesson_id(title, problem, solution),
        title=title,
        component=draft.component,
        date=today.isoformat(),
        author=_author(base, draft, redact),
        problem=problem,
        solution=solution,
        evidence=checked("evidence", draft.evidence, redact) if draft.evidence is not None else None,
        path="",
        supersedes=draft.supersedes,
    )


def _author(base: KnowledgeBase, draft: Draft, redact: Callable[[str], str]) -> str | None:
    if draft.author is not None:
        return checked("author", draft.author, redact)
    name = repository.user_name(base.root)
    try:
        return checked("author", name, redact) if name else None
    except Refused:  # nobody passed it as an argument, so nobody could mend it
        return None


def _near(lesson: Lesson, others: list[Lesson]) -> list[Near[Lesson]]:
    return nearest(lesson.words, [(each, each.words) for each in others])


def _by_nearness(near: Near[Lesson]) -> float:
    return -near.similarity


def _judge(draft: Draft, lesson: Lesson, known: list[Lesson], near: list[Near[Lesson]]) -> None:
    """Raise what speaks against writing *lesson* beside the *known* ones."""
    if draft.supersedes is not None and draft.supersedes not in {each.id for each in known}:
        raise NotFound(
            "No lesson of this branch has the id that `supersedes` names.",
            advice="Take the id from `lessons_list`, or leave `supersedes` out.",
        )
    same = next((each for each in known if lesson.id in (each.id, lesson_id(*each.words))), None)
    if same is not None:
        raise _conflict(SimilarLesson(id=same.id, title=same.title, similarity=1.0), near, certain=True)
    twin = next((each for each in near if each.similarity >= SAME and each.found.id != draft.supersedes), None)
    if twin is not None and not draft.force:
        raise _conflict(_shown(twin), near, certain=False)


def _conflict(twin: SimilarLesson, near: list[Near[Lesson]], *, certain: bool) -> Conflict:
    data = {
        "duplicateOf": twin.model_dump(by_alias=True),
        "similar": [each.model_dump(by_alias=True) for each in _neighbours(near, twin)],
    }
    if certain:
        return Conflict(
            f"This very lesson is written down already, as {twin.id}.",
            advice="There is nothing left to do; `lessons_list` shows it.",
            data=data,
        )
    return Conflict(
        f"A lesson much like this one is written down already, as {twin.id}.",
        advice=f"Read it with `lessons_list`. If yours replaces it, pass `supersedes`: {twin.id}; if it is another "
        "lesson all the same, pass `force`.",
        data=data,
    )


def _neighbours(near: list[Near[Lesson]], twin: SimilarLesson | None) -> list[SimilarLesson]:
    return [_shown(each) for each in near if twin is None or each.found.id != twin.id][:SIMILAR]


def _shown(near: Near[Lesson]) -> SimilarLesson:
    return SimilarLesson(id=near.found.id, title=near.found.title, similarity=round(near.similarity, 3))


def _folder(base: KnowledgeBase) -> Path:
    """The folder of the lesson files, made if absent; a link there could lead a write out of the workspace."""
    folder = base.folder / FOLDER
    if base.folder.is_symlink() or folder.is_symlink():
        raise Refused("The lessons folder is a link.", advice=f"Make `{base.artifact(folder)}` a real folder.")
    if not folder.is_dir():
        with translated(FOLDER):
            folder.mkdir(parents=True, exist_ok=True)
            sync(folder.parent)
    return folder


def _publish(folder: Path, lesson: Lesson) -> str:
    """Write the file and give its name.

    The name ends in the hash of the whole file, so on two branches one name never stands for two texts.
    """
    contents = compose(lesson).encode()
    digest = hashlib.sha256(contents).hexdigest()
    for length in _HASH_LENGTHS:
        name = f"{lesson.date}-{_slug(lesson.title)}-{digest[:length]}.md"
        if publish(folder, name, contents):
            return name
    # None of the files with these names is a lesson, or it would have been found before.
    raise Unavailable(
        "The lesson's file name is taken by a damaged file.", advice=f"Look at `{FOLDER}/` and delete what is torn."
    )


def _slug(title: str) -> str:
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:_SLUG_LENGTH].strip("-") or "lesson"
