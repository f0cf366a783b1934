"""The mandatory first step: the documents held against what is."""

import json
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Annotated

from pydantic import Field

from mcp_daan.app import App
from mcp_daan.knowledge.base import KnowledgeBase
from mcp_daan.knowledge.branches import BranchLesson
from mcp_daan.knowledge.validation.coverage import Coverage
from mcp_daan.knowledge.validation.drift import Schema
from mcp_daan.knowledge.validation.edits import Migration
from mcp_daan.knowledge.validation.findings import Finding
from mcp_daan.knowledge.validation.freshness import DocumentFile, ScrapedPage
from mcp_daan.knowledge.validation.validation import Report, validate
from mcp_daan.paging import page_lists
from mcp_daan.protocol import Component, Model, Reply
from mcp_daan.toolbox import Cursor, tool
from mcp_daan.tools.held import given_by, hold, holes_of
from mcp_daan.tools.team import Sync, Told, shared

STEPS = 3
NAMED = 10
# What to do about findings, by their codes; the first that hold are told.
NEXT: dict[tuple[str, ...], str] = {
    ("missing_file",): "Write {path} and what else is missing: every task begins with these files.",
    ("migration_unknown", "migration_edited"): "Find out what happened to {path} before you touch the database.",
    ("table_missing", "column_missing", "column_type_differs", "index_missing"): (
        "Correct {path}: {count} of its statements differ from the database; `d1_schema` tells how it is."
    ),
    ("lesson_unmerged",): "Read the lessons that other branches have: `lessons_list` with `branches` all.",
    ("migration_unapplied",): "Apply the pending migrations: `wrangler d1 migrations apply NAME --local`.",
    ("limit_outdated",): "Correct the limit in {path}; `suggestion` of the finding has today's.",
    ("version_behind",): "Bring {path} up to date.",
    ("table_undocumented", "column_undocumented"): "Describe in {path} what is not described yet.",
    ("stale_file",): "Read {path} against its source, and renew it or its date.",
    ("broken_link",): "Mend the links of {path}.",
}


class Counts(Model):
    """How many findings there are in all, on every page."""

    error: int
    warning: int
    info: int


class Compared(Model):
    """A database that documents were held against: its file, or what its migrations make where there is none."""

    database: str
    source: str
    tables: int


class Validation(Model):
    """What is there, how old it is, and what is not as it should be; findings gravest first."""

    version: str | None
    files: list[DocumentFile]
    scraped: list[ScrapedPage]
    migrations: list[Migration]
    branch_lessons: list[BranchLesson]
    findings: list[Finding]
    counts: Counts
    compared: list[Compared]
    coverage: Coverage | None
    next_cursor: str | None
    sync: Sync | None


@tool(title="Validate the knowledge", reads_only=True)
def knowledge_validate(
    app: App,
    component: Annotated[
        Component | None, Field(description="Only pages, branch lessons and findings about it, or about everything.")
    ] = None,
    cursor: Cursor = None,
) -> Reply[Validation]:
    """Do this first in every task: hold the team's documents against databases, migrations, links, limits and git.

    Tells how old each document is, where it is wrong and at which line, and which lessons only other branches have.
    Do not rely on what a finding contradicts; `unchecked` means that nobody could tell.
    """
    base = app.knowledge
    told = shared(app, base, writing=False) if cursor is None else Told()
    app.progress(0, 1, "Databases")
    held = [hold(app, database) for database in app.databases if database.location == "local"]
    given = given_by(app, held, component)
    report = validate(base, given, lambda part, what: app.progress(0.2 + 0.8 * part, 1, what))
    report.holes += holes_of(app, held)
    lists: dict[str, Sequence[Model]] = {
        "files": report.files,
        "findings": report.findings,
        "migrations": report.migrations,
        "scraped": report.scraped,
        "branch_lessons": report.branch_lessons,
    }
    parts, part = page_lists(lists, cursor=cursor, max_bytes=app.max_answer_bytes, mark=_mark(component, lists))
    counts = {kind: sum(each.severity == kind for each in report.findings) for kind in ("error", "warning", "info")}
    data = {
        **parts,
        "version": report.version,
        "counts": counts,
        "coverage": report.coverage,
        "compared": [
            Compared(database=each.database, source=each.source, tables=len(each.tables)) for each in given.schemas
        ],
        "next_cursor": part.next_cursor,
        "sync": told.sync,
    }
    return Reply(
        summary=_summary(report, counts),
        data=Validation.model_validate(data),
        artifacts=_artifacts(base, report, given.schemas),
        recommendations=[*told.advice, *_recommendations(base, report, cut=part.cut)],
        partial=told.partial or part.cut or bool(report.holes),
        component=component,
    )


def _mark(component: Component | None, lists: Mapping[str, Sequence[Model]]) -> str:
    """What ties a cursor to these lists; that they are read anew for each page does not matter while they are alike."""
    sizes = json.dumps([component, {name: len(items) for name, items in lists.items()}])
    return sha256(sizes.encode()).hexdigest()[:12]


def _summary(report: Report, counts: dict[str, int]) -> str:
    present = sum(file.present for file in report.files)
    lessons = sum(each.missing and each.path is not None for each in report.branch_lessons)
    return (
        f"{present} of {len(report.files)} files are there; {_count(counts['error'], 'error')},"
        f" {_count(counts['warning'], 'warning')} and {_count(counts['info'], 'note')};"
        f" {_count(lessons, 'lesson')} of other branches {'is' if lessons == 1 else 'are'} not merged here."
    )


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _artifacts(base: KnowledgeBase, report: Report, schemas: Sequence[Schema]) -> list[str]:
    files = [base.artifact(base.root / file.path) for file in report.files if file.present]
    return files + [f"d1://{schema.database}/schema" for schema in schemas if schema.source == "file"][:NAMED]


def _recommendations(base: KnowledgeBase, report: Report, *, cut: bool) -> list[str]:
    """The most useful next steps: what could not be seen first, then the gravest kind of finding."""
    steps = ["Pass `data.nextCursor` as `cursor` for the rest."] if cut else []
    steps += report.holes[:STEPS]
    if base.origin != "workspace":
        steps.append("These documents ship with the server: write your own under `docs/knowledge/backend/`.")
    for kinds, step in NEXT.items():
        found = [each for each in report.findings if each.code in kinds and each.severity != "info"]
        if found:
            steps.append(step.format(count=len(found), path=found[0].path))
    return steps[: STEPS + bool(cut) + min(len(report.holes), STEPS)]
