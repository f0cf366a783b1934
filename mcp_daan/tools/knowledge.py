"""Find and read what is written in the knowledge base."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, get_args

from pydantic import Field

from mcp_daan.app import App
from mcp_daan.errors import InvalidArguments
from mcp_daan.knowledge.base import KnowledgeBase
from mcp_daan.knowledge.reading import File, Heading, cut, list_files, read_document, read_migration
from mcp_daan.knowledge.retrieval.index import Source
from mcp_daan.knowledge.retrieval.search import Found, Question, Result, SearchScope, mark, search, sources_for
from mcp_daan.knowledge.retrieval.words import looks_dutch
from mcp_daan.paging import ENVELOPE_BYTES, decode_cursor, page
from mcp_daan.protocol import Component, Model, Reply, json_bytes
from mcp_daan.toolbox import Cursor, Limit, tool

Phrasing = Annotated[str, Field(min_length=1, max_length=4000, pattern=r"\S")]
Name = Annotated[str, Field(min_length=1, max_length=1024, pattern=r"\S")]
MOST_NAMES = 10


class SearchResults(Model):
    """What was found, best first; `left_out` names files that could not be searched."""

    results: list[Result]
    total: int
    next_cursor: str | None
    left_out: list[str]


class Document(Model):
    """Without a path the files; with one its sections and text, of which `first_line` tells the place."""

    files: list[File] | None = None
    path: str | None = None
    title: str | None = None
    sections: list[Heading] | None = None
    text: str | None = None
    first_line: int | None = None
    next_cursor: str | None = None


@tool(title="Search the knowledge base")
def knowledge_search(
    app: App,
    query: Annotated[
        Phrasing | Annotated[list[Phrasing], Field(min_length=1, max_length=5)],
        Field(description="Words, a question, an error text; or up to five phrasings of one question."),
    ],
    component: Annotated[
        Name | None, Field(description="Only sections about it: d1, workers, oauth, astro or another name.")
    ] = None,
    scope: Annotated[SearchScope, Field(description="Which files.")] = "all",
    limit: Limit = 10,
    cursor: Cursor = None,
) -> Reply[SearchResults]:
    """Find the documents, lessons and migrations that answer a question, best first, with their best section.

    Code names, error texts and paths work as typed; there is no query syntax.
    The pages are mostly English: for a question in Dutch give a list with an English phrasing too.
    Read a result with `knowledge_read` (its `path` and `section`).
    """
    phrasings = (query,) if isinstance(query, str) else tuple(query)
    question, base = Question(phrasings, scope, component), app.knowledge
    sources = sources_for(base, question.kinds)
    tied = mark(question, sources)
    start = decode_cursor(cursor, tied)
    found = _found(app, question, sources, start, limit)
    shown = page(found, limit=limit, cursor=cursor, max_bytes=app.max_answer_bytes, mark=tied)
    return Reply(
        summary=_search_summary(found, len(shown.items), base),
        data=SearchResults(
            results=shown.items,
            total=found.total,
            next_cursor=shown.next_cursor,
            left_out=list(found.left_out[:MOST_NAMES]),
        ),
        artifacts=[_artifact(base, result.path) for result in shown.items[:MOST_NAMES]],
        recommendations=[
            *_search_advice(question, found, shown.items),
            *([found.advice] if found.advice else []),
            *_unread(found.left_out),
            *_origin(base),
        ],
        partial=shown.cut or bool(found.left_out) or found.broken,
        component=_component(component),
    )


@tool(title="Read the knowledge base")
def knowledge_read(
    app: App,
    path: Annotated[
        Name | None, Field(description="A document such as `backend/DATABASE.md`, or a migration that was found.")
    ] = None,
    section: Annotated[
        Name | None, Field(description="A heading, or its path `Parent > Child`; `Title#2` for the second of a name.")
    ] = None,
    max_bytes: Annotated[int | None, Field(ge=4, description="At most so many bytes of text.")] = None,
    cursor: Cursor = None,
) -> Reply[Document]:
    """Read a document of the knowledge base or one section of it, verbatim; without `path` list the documents.

    Prefer one section, as `knowledge_search` names it, to a whole file.
    A long text comes in pieces: pass `data.nextCursor` as `cursor` for the next.
    """
    base = app.knowledge
    if path is not None:
        return _read(app, base, path, section, max_bytes or app.max_answer_bytes, cursor)
    if section is not None:
        raise InvalidArguments("`section` needs `path`.", advice="Name the document in `path` too.")
    files, left_out = list_files(base)
    room = min(app.max_answer_bytes, (max_bytes or app.max_answer_bytes) + ENVELOPE_BYTES)
    shown = page(files, limit=max(len(files), 1), cursor=cursor, max_bytes=room, mark=_tied(files))
    return Reply(
        summary=f"{len(files)} documents in {_which(base)}{_of_these(len(shown.items), len(files))}.",
        data=Document(files=shown.items, next_cursor=shown.next_cursor),
        artifacts=[base.artifact(base.folder)],
        recommendations=[*_unread(left_out), *_origin(base)],
        partial=shown.next_cursor is not None or bool(left_out),
    )


def _found(app: App, question: Question, sources: Sequence[Source], start: int, limit: int) -> Found:
    return search(
        app.knowledge,
        question,
        sources,
        now=app.now,
        start=start,
        limit=limit,
        redact=app.redact,
        meaning=app.meaning if app.settings.knowledge.semantic == "auto" else None,
        show=lambda done, total: app.progress(done, total, "files indexed"),
    )


def _read(
    app: App, base: KnowledgeBase, path: str, section: str | None, max_bytes: int, cursor: str | None
) -> Reply[Document]:
    migration = _migration(base, path)
    file = Path(migration.path) if migration is not None else base.resolve(path)
    document = read_migration(file, section) if migration is not None else read_document(file, section)
    budget = app.max_answer_bytes - ENVELOPE_BYTES
    outline = page(document.headings, limit=len(document.headings), cursor=None, max_bytes=ENVELOPE_BYTES + budget // 2)
    # Cleaned before it is cut: a secret in two pieces would pass the last net.
    clean = app.redact(document.text)
    room = budget - sum(json_bytes(each.model_dump()) + 1 for each in outline.items) - json_bytes(document.title)
    piece = cut(clean, cursor=cursor, max_bytes=max_bytes, json_room=room, first_line=document.first_line)
    name, rest = (migration.name if migration is not None else base.relative(file)), []
    if piece.next_cursor is not None:
        rest.append("There is more: pass `data.nextCursor` as `cursor`, or ask for one `section`.")
    if outline.cut:
        rest.append("Only the first headings are listed; `knowledge_search` finds the others.")
    return Reply(
        summary=f"{'One section' if section else 'The text'} of {name}"
        f"{', from line ' + str(piece.first_line) if cursor or section else ''}.",
        data=Document(
            path=name,
            title=document.title,
            sections=outline.items,
            text=piece.text,
            first_line=piece.first_line,
            next_cursor=piece.next_cursor,
        ),
        artifacts=[_artifact(base, name)],
        recommendations=[*rest, *_origin(base)],
        partial=piece.next_cursor is not None or outline.cut,
    )


def _migration(base: KnowledgeBase, path: str) -> Source | None:
    """The migration that `knowledge_search` names so; None for a document."""
    if not path.endswith(".sql"):
        return None
    return next((each for each in sources_for(base, ("migration",)) if each.name == path), None)


def _search_summary(found: Found, shown: int, base: KnowledgeBase) -> str:
    if not found.total:
        return f"Nothing in {_which(base)} matches."
    files = "1 file matches" if found.total == 1 else f"{found.total} files match"
    return f"{files} in {_which(base)}{_of_these(shown, found.total)}."


def _search_advice(question: Question, found: Found, shown: Sequence[Result]) -> list[str]:
    advice = []
    if not found.total:
        advice.append("Try other words, or `knowledge_read` without `path` for the list of documents.")
        if question.component or question.scope != "all":
            advice.append("Leave `component` and `scope` out to search everything.")
    elif shown:
        advice.append("Read a result with `knowledge_read`: its `path` and `section`.")
    if len(question.phrasings) == 1 and looks_dutch(question.phrasings[0]):
        advice.append("Add an English phrasing: most pages are English. `query` takes a list.")
    return advice


def _unread(names: Sequence[str]) -> list[str]:
    if not names:
        return []
    listed = ", ".join(names[:MOST_NAMES])
    more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
    return [f"Not searched, since they cannot be read as UTF-8 text: {listed}{more}. `knowledge_read` says why."]


def _origin(base: KnowledgeBase) -> list[str]:
    return [] if base.origin == "workspace" else ["The workspace has no knowledge folder; make one for your own."]


def _which(base: KnowledgeBase) -> str:
    return {
        "workspace": "the workspace's knowledge base",
        "user": "your own knowledge base",
        "embedded": "the embedded knowledge base",
    }[base.origin]


def _of_these(shown: int, total: int) -> str:
    return "" if shown == total else f", of which {shown} are shown"


def _artifact(base: KnowledgeBase, name: str) -> str:
    return name if name.endswith(".sql") else base.artifact(base.root / name)


def _component(name: str | None) -> Component | None:
    return next((each for each in get_args(Component) if each == (name or "").lower()), None)


def _tied(files: Sequence[File]) -> str:
    return hashlib.sha256("\n".join(file.path for file in files).encode()).hexdigest()[:16]
