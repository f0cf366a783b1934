"""How old the documents are: the four files, the other documents, the scraped pages."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from shlex import quote

from mcp_daan.knowledge.base import KnowledgeBase
from mcp_daan.knowledge.dates import age_days, first_date, iso, midnight, read_moment
from mcp_daan.knowledge.markdown import front_matter, lines_of
from mcp_daan.knowledge.validation.findings import Finding, finding
from mcp_daan.protocol import Component, Model

VERSION, DATABASE, LESSONS, SCENARIOS = "VERSION.md", "DATABASE.md", "LESSONS-LEARNED.md", "TEST-SCENARIOS.md"
REQUIRED = (VERSION, DATABASE, LESSONS, SCENARIOS)
SCRAPED, LESSON_FILES = "scraped", "lessons"

_UPDATED = "updated updated_at last_updated lastUpdated lastmod modified bijgewerkt date datum".split()
_FETCHED = (
    "scraped_at scrapedAt scraped fetched_at fetchedAt fetched retrieved_at retrievedAt retrieved crawled_at"
    " opgehaald_op opgehaald gescraped"
).split()
_SOURCES = "source source_url sourceUrl url canonical origin bron".split()
# The same as a line of the page: "Scraped: 2026-10-01", "Bron: https://…".
_FETCHED_LINE = re.compile(r"(?i)^\W*(?:scraped|fetched|retrieved|crawled|opgehaald|gescraped)\b(?P<rest>.*)$")
_SOURCE_LINE = re.compile(r"(?i)^\W*(?:source|bron|url|origin)\b[^\n]{0,20}?(?P<url>https?://[^\s)>\]\"'*`]+)")
_HEAD_LINES = 30


class DocumentFile(Model):
    """One of the four files that every task begins with."""

    path: str
    present: bool
    updated_at: str | None
    age_days: int | None
    bytes: int


class ScrapedPage(Model):
    """A page kept from elsewhere."""

    path: str
    source: str | None
    scraped_at: str | None
    age_days: int
    component: Component | None = None


@dataclass(frozen=True)
class Dated:
    """A document's text and what tells its age: git's date, if it tracks the file, and the file's own."""

    path: Path
    text: str
    bytes: int
    in_git: datetime | None
    written: datetime

    @property
    def updated(self) -> datetime:
        """When it last changed: by git, else by its front matter, else by the file."""
        front = front_matter(self.text)[0]
        stated = (read_moment(front[key]) for key in _UPDATED if key in front)
        return self.in_git or next((moment for moment in stated if moment), None) or self.written


def dated(paths: Mapping[Path, str], changes: Mapping[Path, datetime]) -> list[Dated]:
    """The documents in *paths* with their texts, as far as they are still there."""
    found = []
    for path, text in paths.items():
        try:
            status = path.stat()
        except OSError:  # deleted since it was listed
            continue
        written = datetime.fromtimestamp(status.st_mtime, UTC)
        found.append(Dated(path, text, status.st_size, changes.get(path), written))
    return found


def required_files(base: KnowledgeBase, documents: Iterable[Dated], now: datetime) -> list[DocumentFile]:
    """The four files, be they there or not."""
    by_path = {document.path: document for document in documents}
    files = []
    for name in REQUIRED:
        document = by_path.get(base.folder / name)
        files.append(
            DocumentFile(
                path=f"{base.component}/{name}",
                present=document is not None,
                updated_at=iso(document.updated) if document else None,
                age_days=age_days(document.updated, now) if document else None,
                bytes=document.bytes if document else 0,
            )
        )
    return files


def missing_files(base: KnowledgeBase, files: Iterable[DocumentFile]) -> Iterator[Finding]:
    """Those of the four files that are not there, or are links, which are not followed."""
    for file in files:
        if not file.present:
            what = "is a link, which is not followed" if (base.root / file.path).is_symlink() else "is missing"
            yield finding("missing_file", file.path, f"{file.path} {what}; every task begins with it.")


def scraped_page(base: KnowledgeBase, document: Dated, now: datetime) -> ScrapedPage:
    """What the page says of itself; it was not fetched after it last changed, whatever it says."""
    front = front_matter(document.text)[0]
    head = lines_of(document.text)[:_HEAD_LINES]
    fetched = _fetched(front, head)
    source = next((front[key] for key in _SOURCES if front.get(key)), None)
    source = source or next((found["url"] for line in head if (found := _SOURCE_LINE.match(line))), None)
    moment = min(fetched, document.in_git or fetched) if fetched else document.updated
    return ScrapedPage(
        path=base.relative(document.path),
        source=source,
        scraped_at=iso(moment),
        age_days=age_days(moment, now),
    )


def stale_documents(base: KnowledgeBase, documents: Iterable[Dated], now: datetime, days: int) -> Iterator[Finding]:
    """The documents that nobody has touched for more than *days*; a lesson is a record and does not grow stale."""
    for document in documents:
        age = age_days(document.updated, now)
        if (
            age > days
            and not is_below(base, document.path, SCRAPED)
            and not is_below(base, document.path, LESSON_FILES)
        ):
            path = base.relative(document.path)
            message = f"{path} has not changed for {age} days; after {days} it counts as stale."
            yield finding("stale_file", path, message, line=1, found=f"{age} days", expected=f"at most {days} days")


def stale_pages(pages: Iterable[ScrapedPage], days: int) -> Iterator[Finding]:
    """The scraped pages older than *days*."""
    for page in pages:
        if page.age_days > days:
            message = f"{page.path} was fetched {page.age_days} days ago; after {days} it counts as stale."
            yield finding(
                "stale_file",
                page.path,
                message,
                line=1,
                found=f"{page.age_days} days",
                expected=f"at most {days} days",
                suggestion=_again(page.source),
                component=page.component,
            )


def _again(source: str | None) -> str | None:
    """The command that fetches a page anew; its address is anybody's words, so a shell must not read it."""
    return f"mcp-daan scrape {quote(source)}" if source is not None and source.startswith("https://") else None


def is_below(base: KnowledgeBase, path: Path, folder: str) -> bool:
    """Whether *path* stands in the component's *folder*."""
    return path.is_relative_to(base.folder / folder)


def _fetched(front: Mapping[str, str], head: Iterable[str]) -> datetime | None:
    for key in _FETCHED:
        moment = read_moment(front.get(key, ""))
        if moment is not None:
            return moment
    days = (first_date(found["rest"]) for line in head if (found := _FETCHED_LINE.match(line)))
    day = next((day for day in days if day), None)
    return midnight(day) if day else None
