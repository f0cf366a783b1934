"""What the team wrote: the documents of the component, each read and parsed once."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from mcp_daan.errors import Unavailable
from mcp_daan.knowledge.base import KnowledgeBase
from mcp_daan.knowledge.lessons.handwritten import generated
from mcp_daan.knowledge.markdown import front_matter, lines_of, read_text
from mcp_daan.knowledge.validation.findings import Finding, finding
from mcp_daan.knowledge.validation.freshness import LESSON_FILES, LESSONS, SCRAPED, Dated, dated, is_below
from mcp_daan.knowledge.validation.links import anchors
from mcp_daan.knowledge.validation.passages import Document, Prose, parse_document


@dataclass(frozen=True)
class Written:
    """A document: its age, its name as shown, its blocks, and the component that its front matter names."""

    age: Dated
    name: str
    blocks: Document
    component: str
    scraped: bool
    lesson: bool
    readable: bool

    @property
    def path(self) -> Path:
        """Where it stands."""
        return self.age.path

    @property
    def is_view(self) -> bool:
        """Whether it is LESSONS-LEARNED.md."""
        return self.path.name == LESSONS

    @property
    def describes(self) -> bool:
        """Whether it describes what is, rather than what others wrote or what once happened."""
        return self.readable and not (self.scraped or self.lesson or self.is_view)


def read_written(
    base: KnowledgeBase, changes: Mapping[Path, datetime], progress: Callable[[int, int], None]
) -> tuple[list[Written], list[Finding], list[str]]:
    """The component's documents, a finding for each that cannot be read, and how to mend those.

    A document that cannot be read has an age all the same, and says nothing.
    """
    texts: dict[Path, str] = {}
    findings: list[Finding] = []
    advice: list[str] = []
    unreadable: set[Path] = set()
    for path in base.files():
        if not path.is_relative_to(base.folder):
            continue
        try:
            texts[path] = read_text(path)
        except Unavailable as error:
            texts[path] = ""
            unreadable.add(path)
            findings.append(finding("unchecked", base.relative(path), error.message))
            advice.append(error.advice)
    ages = dated(texts, changes)
    documents = []
    for number, age in enumerate(ages):
        documents.append(_written(base, age, readable=age.path not in unreadable))
        progress(number + 1, len(ages))
    return documents, findings, advice


def anchors_of(documents: Iterable[Written]) -> Callable[[Path], set[str] | None]:
    """What tells the anchors of a document, of one outside the knowledge base too."""
    known: dict[Path, set[str] | None] = {}
    parsed = {document.path: document for document in documents}

    def tell(path: Path) -> set[str] | None:
        if path not in known:
            try:
                # The whole file: links may lead into what is generated.
                text = read_text(path)
                known[path] = anchors(text, [heading.plain for heading in _headings(parse_document(text))])
            except Unavailable:
                known[path] = None
        return known[path]

    for path, document in parsed.items():
        if not document.is_view:
            known[path] = anchors(document.age.text, [heading.plain for heading in _headings(document.blocks)])
    return tell


def reread(document: Written, text: str) -> Written:
    """*document* as if its file said *text*."""
    blocks = parse_document(_without_generated(text) if document.is_view else text)
    return replace(document, blocks=blocks, age=replace(document.age, text=text))


def _headings(document: Document) -> list[Prose]:
    """Every heading in order; sections set aside have theirs too."""
    blocks = (*document.today, *document.aside)
    return sorted((block.prose for block in blocks if block.kind == "heading"), key=lambda prose: prose.line)


def _written(base: KnowledgeBase, age: Dated, *, readable: bool) -> Written:
    text = _without_generated(age.text) if age.path.name == LESSONS else age.text
    return Written(
        age=age,
        name=base.relative(age.path),
        blocks=parse_document(text),
        component=front_matter(text)[0].get("component", ""),
        scraped=is_below(base, age.path, SCRAPED),
        lesson=is_below(base, age.path, LESSON_FILES),
        readable=readable,
    )


def _without_generated(text: str) -> str:
    """*text* with its generated lines blanked: the lessons' own files say the same."""
    lines = lines_of(text)
    for start, end in generated(lines):
        lines[start:end] = ["\n"] * (end - start)
    return "".join(lines)
