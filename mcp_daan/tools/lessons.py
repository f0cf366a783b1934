"""The lessons of the team: write one down, look them up."""

import json
from dataclasses import replace
from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import Field

from mcp_daan.app import App
from mcp_daan.errors import InvalidArguments, SourceError
from mcp_daan.knowledge.base import KnowledgeBase
from mcp_daan.knowledge.branches import foreign_lessons
from mcp_daan.knowledge.lessons.appending import Appended, Draft, SimilarLesson, append
from mcp_daan.knowledge.lessons.lessons import (
    FOLDER,
    VIEW,
    Lesson,
    newest_first,
    passed_over,
    read_lessons,
    with_successors,
)
from mcp_daan.knowledge.lessons.turning import cursor_after, place_of
from mcp_daan.knowledge.lessons.view import heal_view
from mcp_daan.knowledge.repository import head_branch, is_repository, marked
from mcp_daan.paging import ENVELOPE_BYTES, page
from mcp_daan.protocol import Component, Model, Reply, json_bytes
from mcp_daan.toolbox import Cursor, Limit, Text, tool
from mcp_daan.tools.team import Sync, Told, shared

NAMED = 5
CUT = " […]"
LessonId = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[\w-]+$")]


class LessonAppended(Model):
    """Where the lesson stands, and what says something alike."""

    id: str
    path: str
    duplicate_of: SimilarLesson | None
    similar: list[SimilarLesson]
    sync: Sync | None


class LessonRow(Model):
    """One lesson; `merged`: the branch in hand has it."""

    id: str
    title: str
    component: Component | None
    date: str | None
    author: str | None
    problem: str
    solution: str
    evidence: str | None
    path: str
    branch: str | None
    merged: bool
    superseded_by: str | None


class LessonList(Model):
    """A page of lessons, newest first; `total` counts those that match on all pages."""

    lessons: list[LessonRow]
    total: int
    next_cursor: str | None
    sync: Sync | None


@tool(title="Write a lesson down", reads_only=False)
def lessons_append(
    app: App,
    title: Annotated[str, Field(min_length=1, max_length=200, pattern=r"\S", description="One line.")],
    problem: Annotated[Text, Field(description="What went wrong, in markdown.")],
    solution: Annotated[Text, Field(description="What mended it, in markdown.")],
    component: Annotated[Component, Field(description="What it is about.")],
    evidence: Annotated[Text | None, Field(description="Error, commit or measurement that shows it.")] = None,
    author: Annotated[
        str | None, Field(min_length=1, max_length=200, pattern=r"\S", description="Default: git's user.name.")
    ] = None,
    force: Annotated[bool, Field(description="Write it although a near-duplicate exists.")] = False,
    supersedes: Annotated[LessonId | None, Field(description="Id of the lesson that this one replaces.")] = None,
) -> Reply[LessonAppended]:
    """Write a lesson down for the whole team, in a file of its own that git merges without conflict.

    Call it when work taught something that the documents do not say. Near-duplicates are refused with their id.
    Never put a secret in it; commit the file afterwards, unless `sync` in the answer says it is shared.
    """
    draft = Draft(title, problem, solution, component, evidence, author, force, supersedes)
    done = append(app.knowledge, draft, today=app.now.date(), redact=app.redact)
    artifacts = [done.base.artifact(done.base.root / done.lesson.path)]
    told = shared(app, done.base, writing=True)
    healed, advice = _heal(done.base)
    if healed:
        artifacts.append(done.base.artifact(done.base.folder / VIEW))
    return Reply(
        summary=f"Lesson {done.lesson.id} is written down.{told.sentence}{_copied(app.knowledge, done.base)}",
        data=LessonAppended(
            id=done.lesson.id,
            path=done.lesson.path,
            duplicate_of=done.twin,
            similar=done.similar,
            sync=told.sync,
        ),
        artifacts=artifacts,
        recommendations=[*told.advice, *advice, *(_next_steps(done) if told.sync is None else [])],
        lessons_added=1,
        partial=told.partial,
        component=component,
    )


@tool(title="List lessons")
def lessons_list(
    app: App,
    component: Annotated[Component | None, Field(description="Only lessons about it.")] = None,
    query: Annotated[
        str | None, Field(min_length=1, max_length=400, pattern=r"\S", description="Words it holds.")
    ] = None,
    since: Annotated[str | None, Field(min_length=1, max_length=40, description="ISO date: that day or later.")] = None,
    branches: Annotated[
        Literal["current", "all"], Field(description="`all`: also lessons that only other branches have.")
    ] = "current",
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Reply[LessonList]:
    """List what the team learned, newest first, with problem and solution.

    `merged` false: only that other branch has the lesson. `supersededBy` names a newer lesson to follow instead.
    To search all documents use `knowledge_search`.
    """
    first_day = _day(since)
    base = app.knowledge
    told = shared(app, base, writing=False) if cursor is None else Told()
    _, advice = _heal(base)
    lessons, holes = _gathered(base, everywhere=branches == "all")
    unread = passed_over(base)
    if unread:
        advice.append(
            f"No lesson can be read from: {', '.join(unread[:NAMED])}. Save them as UTF-8, in the form of the others."
        )
    matching = [each for each in lessons if _matches(each, component, query, first_day)]
    found = [_row(each) for each in matching]
    # A lesson can be larger than an answer; shortened, at least four fit.
    fitting = [_fitted(each, (app.max_answer_bytes - ENVELOPE_BYTES) // 4) for each in found]
    mark = json.dumps([component, query, since, branches])
    start = place_of(cursor, matching, mark)
    cut = page(fitting[start:], limit=limit, cursor=None, max_bytes=app.max_answer_bytes)
    following = cursor_after(matching[start + len(cut.items) - 1], mark) if cut.next_cursor is not None else None
    whole = {id(each) for each in found}
    shortened = any(id(each) not in whole for each in cut.items)
    if shortened:
        advice.append(f"Texts that end in `{CUT}` are whole in `knowledge_read` with the lesson's `path`.")
    return Reply(
        summary=f"{len(cut.items)} of {len(found)} lessons.",
        data=LessonList(lessons=cut.items, total=len(found), next_cursor=following, sync=told.sync),
        artifacts=_sources(base),
        recommendations=[*told.advice, *advice, *holes],
        partial=told.partial or cut.cut or shortened or bool(unread) or (branches == "all" and bool(holes)),
        component=component,
    )


def _heal(base: KnowledgeBase) -> tuple[bool, list[str]]:
    """Whether the view changed; what to do where it could not be brought up to date, which fails no call."""
    try:
        return heal_view(base), []
    except SourceError as error:
        return False, [f"{VIEW} was not brought up to date. {error.message} {error.advice}"]


def _copied(before: KnowledgeBase, after: KnowledgeBase) -> str:
    if before.origin == after.origin:
        return ""
    return " The embedded knowledge base was copied to your data folder first; from now on that copy is used."


def _next_steps(done: Appended) -> list[str]:
    if done.base.origin != "workspace":
        return ["Make `docs/knowledge` in the workspace to share lessons with the team."]
    if not marked(done.base.root):
        return []
    return [f"Commit `{done.base.artifact(done.base.root / done.lesson.path)}`, so that the team gets it."]


def _gathered(base: KnowledgeBase, *, everywhere: bool) -> tuple[list[Lesson], list[str]]:
    """The lessons, newest first, and what to do about branches that could not be asked."""
    here = read_lessons(base)
    try:
        if base.origin != "workspace" or not is_repository(base.root):
            return here, []
        branch = head_branch(base.root)
        others = foreign_lessons(base, here) if everywhere else []
    except SourceError as error:
        return here, [f"Branches were not looked at. {error.message} {error.advice}"]
    here = [replace(each, branch=branch) for each in here]
    foreign = [replace(each.lesson, merged=each.commit is None) for each in others]
    return newest_first(with_successors([*here, *foreign])), []


def _matches(lesson: Lesson, component: Component | None, query: str | None, first_day: date | None) -> bool:
    text = " ".join((*lesson.words, lesson.evidence or "", lesson.id)).casefold()
    return (
        (component is None or lesson.component == component)
        and all(word in text for word in (query or "").casefold().split())
        and (first_day is None or (lesson.date or "") >= first_day.isoformat())
    )


def _day(since: str | None) -> date | None:
    if since is None:
        return None
    try:
        return datetime.fromisoformat(since).date()
    except ValueError:
        raise InvalidArguments(
            "`since` is not an ISO date.", advice="Write `since` like 2026-11-22, or leave it out."
        ) from None


def _row(lesson: Lesson) -> LessonRow:
    return LessonRow(**{name: getattr(lesson, name) for name in LessonRow.model_fields})


def _fitted(row: LessonRow, most: int) -> LessonRow:
    """*row* in at most about *most* bytes of JSON: its texts shortened, each to a third, where it is larger."""
    if json_bytes(row.model_dump(by_alias=True)) <= most:
        return row
    texts = {"problem": row.problem, "solution": row.solution, "evidence": row.evidence}
    return row.model_copy(update={name: _shortened(text, most // 4) for name, text in texts.items() if text})


def _shortened(text: str, most: int) -> str:
    if json_bytes(text) <= most:
        return text
    # Six bytes are the most that JSON takes for a character.
    kept = text[: most // 6]
    return kept.rstrip() + CUT


def _sources(base: KnowledgeBase) -> list[str]:
    return [base.artifact(base.folder / name) for name in (FOLDER, VIEW) if (base.folder / name).exists()]
