"""Step 1 and 2 of every task: what the team wrote, held against what is."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from mcp_daan.errors import DaanError, Unavailable
from mcp_daan.knowledge import repository
from mcp_daan.knowledge.base import SUFFIXES, KnowledgeBase
from mcp_daan.knowledge.branches import BranchLesson, branch_lessons
from mcp_daan.knowledge.lessons.lessons import read_lessons
from mcp_daan.knowledge.lessons.view import heal_view
from mcp_daan.knowledge.validation.components import about, concerns, named
from mcp_daan.knowledge.validation.coverage import Coverage
from mcp_daan.knowledge.validation.drift import Schema
from mcp_daan.knowledge.validation.edits import Migration, Migrations, migration_findings
from mcp_daan.knowledge.validation.findings import MATCHING_COMMIT, Finding, finding, in_order
from mcp_daan.knowledge.validation.freshness import (
    DATABASE,
    LESSONS,
    SCRAPED,
    VERSION,
    Dated,
    DocumentFile,
    ScrapedPage,
    missing_files,
    required_files,
    scraped_page,
    stale_documents,
    stale_pages,
)
from mcp_daan.knowledge.validation.links import LinkCheck
from mcp_daan.knowledge.validation.patches import with_patches
from mcp_daan.knowledge.validation.rechecking import Recheck, claimed, document_findings
from mcp_daan.knowledge.validation.versions import Newest, Stated, behind, read_stated
from mcp_daan.knowledge.validation.written import Written, anchors_of, read_written
from mcp_daan.protocol import Component

_SUBJECT = 200


@dataclass(frozen=True)
class Given:
    """What the documents are held against, by which measure, and the component that is asked for."""

    schemas: Sequence[Schema]
    migrations: Sequence[Migrations]
    folders: Mapping[str, Path]  # of migrations, by database
    grep: str
    now: datetime
    stale_days: int
    stale_scraped_days: int
    component: Component | None = None
    findings: Sequence[Finding] = ()  # of the databases themselves


@dataclass
class Report:
    """What validation tells; `holes` say what could not be looked at, and what to do about it."""

    version: str | None = None
    files: list[DocumentFile] = field(default_factory=list)
    scraped: list[ScrapedPage] = field(default_factory=list)
    migrations: list[Migration] = field(default_factory=list)
    branch_lessons: list[BranchLesson] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    coverage: Coverage | None = None
    holes: list[str] = field(default_factory=list)


def validate(base: KnowledgeBase, given: Given, progress: Callable[[float, str], None]) -> Report:
    """Everything that can be told of the documents of *base*; *progress* takes a part of 1 and what is done.

    What cannot be looked at is a hole, never a failure. With a component only pages, branch lessons and findings
    that are about it are told, and those about everything.
    """
    report = Report(findings=list(given.findings))
    _try(report, "LESSONS-LEARNED.md was not brought up to date", lambda: heal_view(base))
    changes = _git_dates(base, report)
    progress(0.1, "Documents")
    documents, unread, advice = read_written(
        base, changes, lambda done, total: progress(0.1 + 0.3 * done / total, "Documents")
    )
    report.findings += unread
    report.holes += advice
    _ages(base, documents, given, changes, report)
    progress(0.5, "Claims about the databases")
    # Documents that ship with the server describe no database of this workspace.
    schemas = given.schemas if base.origin == "workspace" else []
    said = claimed(documents, schemas, f"{base.component}/{DATABASE}")
    report.coverage = said.coverage()
    report.migrations = [state for each in given.migrations for state in each.states()]
    report.findings += (found for each in given.migrations for found in migration_findings(each))
    report.findings += said.findings()
    progress(0.7, "Links and limits")
    check = LinkCheck(base, anchors_of(documents))
    report.findings += _links_and_limits(base, documents, check)
    progress(0.8, "Branches")
    _version(base, documents, given, report)
    _branches(base, given, report)
    if (component := given.component) is not None:
        report.findings = [each for each in report.findings if concerns(each, component)]
        report.scraped = [page for page in report.scraped if page.component in (None, component)]
    report.findings = in_order(report.findings)
    progress(0.9, "Patches")
    by_name = {document.name: document for document in documents}
    again = Recheck(by_name, said, check, lambda document: _stated_wrongly(base, document, given))
    report.findings = _patched(base, report, again)
    progress(1, "Done")
    return report


def _try(report: Report, what: str, look: Callable[[], object]) -> None:
    try:
        look()
    except DaanError as error:
        report.holes.append(f"{what}. {error.message} {error.advice}")


def _git_dates(base: KnowledgeBase, report: Report) -> dict[Path, datetime]:
    """When git says that each document last changed; what ships with the server has no history here."""
    changes: dict[Path, datetime] = {}
    if base.origin == "workspace":
        what = "Dates are those of the files, since git was not asked"
        _try(report, what, lambda: changes.update(_last_changes(base)))
    return changes


def _last_changes(base: KnowledgeBase) -> dict[Path, datetime]:
    if repository.marked(base.root) and not repository.is_repository(base.root):
        raise Unavailable("There is a .git that git does not take for a repository.", advice="Run `git fsck`.")
    return repository.last_changes(base.root, base.folder)


def _ages(
    base: KnowledgeBase,
    documents: Sequence[Written],
    given: Given,
    changes: Mapping[Path, datetime],
    report: Report,
) -> None:
    ages = [document.age for document in documents]
    report.files = required_files(base, ages, given.now)
    report.findings += missing_files(base, report.files)
    report.findings += stale_documents(base, ages, given.now, given.stale_days)
    pages = [(document.age, document.component) for document in documents if document.scraped]
    pages += ((page, "") for page in _other_pages(base, changes))
    for page, component in sorted(pages, key=lambda each: each[0].path):
        told = scraped_page(base, page, given.now)
        words = about(f"{base.relative(page.path)} {told.source or ''}".replace("_", " "))
        told.component = named(component) or (next(iter(words)) if len(words) == 1 else None)
        report.scraped.append(told)
    report.findings += stale_pages(report.scraped, given.stale_scraped_days)


def _other_pages(base: KnowledgeBase, changes: Mapping[Path, datetime]) -> Iterator[Dated]:
    """What was scraped and is no markdown; it has an age all the same."""
    for folder, inner, names in os.walk(base.folder / SCRAPED):
        inner[:] = [name for name in inner if not name.startswith(".")]
        for name in names:
            path = Path(folder, name)
            if name.startswith(".") or path.suffix.lower() in SUFFIXES or path.is_symlink():
                continue
            try:
                status = path.stat()
            except OSError:  # deleted since it was listed
                continue
            yield Dated(path, "", status.st_size, changes.get(path), datetime.fromtimestamp(status.st_mtime, UTC))


def _links_and_limits(base: KnowledgeBase, documents: Sequence[Written], check: LinkCheck) -> Iterator[Finding]:
    replaced = {lesson.path for lesson in read_lessons(base) if lesson.superseded_by}
    for document in documents:
        found = document_findings(check, document)
        # What a newer lesson replaced states what was true.
        yield from (
            each for each in found if each.code != "limit_outdated" or document.is_view or document.name not in replaced
        )


def _patched(base: KnowledgeBase, report: Report, again: Recheck) -> list[Finding]:
    """The findings with patches; what others wrote, and lessons, are not ours to mend."""
    mendable = {
        name: document.age.text
        for name, document in again.documents.items()
        if document.readable and not (document.scraped or document.lesson)
    }
    inside = base.root.is_relative_to(base.workspace.root)
    return with_patches(
        report.findings, mendable, again, lambda name: base.artifact(base.root / name) if inside else name
    )


def _version(base: KnowledgeBase, documents: Sequence[Written], given: Given, report: Report) -> None:
    document = next((each for each in documents if each.path == base.folder / VERSION), None)
    if document is None or not document.readable:
        return
    report.version = _stated(document, given).version
    if base.origin == "workspace":
        what = "VERSION.md was not held against tags and migrations"
        _try(report, what, lambda: report.findings.extend(_behind(base, _stated(document, given), given)))


def _stated(document: Written, given: Given) -> Stated:
    return read_stated(document.age.text, document.name, document.age.updated, given.now.date())


def _stated_wrongly(base: KnowledgeBase, document: Written, given: Given) -> list[Finding]:
    if document.path != base.folder / VERSION or base.origin != "workspace":
        return []
    try:
        return _behind(base, _stated(document, given), given)
    except DaanError:  # told once already, as a hole
        return []


def _behind(base: KnowledgeBase, stated: Stated, given: Given) -> list[Finding]:
    newest = []
    for each in given.migrations:
        if each.files:
            folder = given.folders[each.database]
            dates = repository.last_changes(folder, folder)
            newest.append(Newest(each.database, tuple(each.files), dates.get(folder / list(each.files)[-1])))
    return list(behind(stated, base.workspace.root, base.workspace.apps, newest))


def _branches(base: KnowledgeBase, given: Given, report: Report) -> None:
    found: list[BranchLesson] = []
    _try(report, "Other branches were not looked at", lambda: found.extend(branch_lessons(base, given.grep)))
    for each in found:
        if given.component is None or given.component in about(f"{each.subject} {each.path or ''}"):
            subject = each.subject if len(each.subject) <= _SUBJECT else f"{each.subject[: _SUBJECT - 1]}…"
            report.branch_lessons.append(each.model_copy(update={"subject": subject}))
    report.findings += _unmerged(
        [each for each in report.branch_lessons if each.missing], f"{base.component}/{LESSONS}"
    )


def _unmerged(missing: Sequence[BranchLesson], view: str) -> Iterator[Finding]:
    """A finding for each lesson that HEAD lacks, and one for each branch with commits that may hold one."""
    commits: dict[str, list[BranchLesson]] = {}
    for each in missing:
        if each.path is None:
            commits.setdefault(each.branch, []).append(each)
            continue
        message = f"Branch {each.branch} has a lesson that this branch lacks (commit {each.commit[:12]})."
        # By its hash: the name of a branch may hold anything, and a shell must not read it.
        yield finding(
            "lesson_unmerged",
            each.path,
            message,
            line=1,
            found="not on this branch",
            expected="merged",
            suggestion=f"git show {each.commit}",
        )
    for branch, group in commits.items():
        count = "a commit" if len(group) == 1 else f"{len(group)} commits"
        message = (
            f"Branch {branch} has {count} that this branch lacks and that may hold a lesson;"
            f" the newest is {group[0].commit[:12]}."
        )
        yield finding("lesson_unmerged", view, message, severity=MATCHING_COMMIT)
