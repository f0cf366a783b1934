"""A full-text index of the documents, brought up to date by content at each use."""

import hashlib
import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Literal, NamedTuple, TypeVar

import apsw

from mcp_daan.errors import Unavailable
from mcp_daan.knowledge.base import KnowledgeBase, documents
from mcp_daan.knowledge.markdown import read_text
from mcp_daan.knowledge.retrieval.kept import Kept, at_one_moment, within
from mcp_daan.knowledge.retrieval.pages import SEPARATOR, document_page, migration_page
from mcp_daan.scrub import MASK, SHAPES
from mcp_daan.workspace import Workspace

T = TypeVar("T")
Show = Callable[[int, int], None]
Kind = Literal["document", "migration"]
VERSION = 2  # of the tables below, and of how documents become parts
BATCH = 100  # files between two commits, so that another server waits a moment, not a minute
# A file that changes twice within its clock's tick keeps its stamp: a stamp this fresh is not relied upon.
SETTLED_NANOSECONDS = 2 * 10**9
_TOKENS = "tokenize = 'porter unicode61 remove_diacritics 2'"
_TABLES = f"""
CREATE TABLE IF NOT EXISTS pages(
  id INTEGER PRIMARY KEY, name TEXT NOT NULL, kind TEXT NOT NULL, stamp TEXT NOT NULL, digest BLOB, fault TEXT,
  title TEXT, scope TEXT, component TEXT, dated TEXT, changed INTEGER, bytes INTEGER, headings INTEGER,
  UNIQUE (kind, name));
CREATE TABLE IF NOT EXISTS places(
  id INTEGER PRIMARY KEY, page INTEGER NOT NULL, address TEXT NOT NULL, line INTEGER NOT NULL, end INTEGER NOT NULL,
  bare INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS places_of_page ON places(page);
CREATE VIRTUAL TABLE IF NOT EXISTS parts USING fts5(title, address, body, name, {_TOKENS});
CREATE VIRTUAL TABLE IF NOT EXISTS whole USING fts5(title, headings, body, name, content = '', contentless_delete = 1, {_TOKENS});
"""


def _quiet(done: int, total: int) -> None: ...


class Source(NamedTuple):
    """A file to index; `stamp` changes whenever the file does, `settled` says that it surely will."""

    name: str
    kind: Kind
    path: str
    stamp: str
    settled: bool
    changed: int
    bytes: int


def scan_documents(base: KnowledgeBase) -> list[Source]:
    """The documents of *base* as they stand on disk now."""
    below = len(os.path.join(base.root, ""))  # noqa: PTH118 - compared as text
    paths = list(documents(base.root, base.workspace.remembered))
    return list(_sources(paths, [path[below:] for path in paths], "document"))


def scan_migrations(workspace: Workspace) -> list[Source]:
    """The *.sql files of every migrations folder that a wrangler configuration inside the workspace names."""
    folders = {
        Path(os.path.normpath(app.path.parent / binding.migrations_dir))
        for app in workspace.apps
        for binding in app.d1_bindings()
    }
    paths: list[str] = []
    for folder in sorted(folders):
        if folder.is_dir() and folder.resolve().is_relative_to(workspace.root.resolve()):
            inside = [entry for entry in os.scandir(folder) if entry.is_file(follow_symlinks=False)]
            paths += [entry.path for entry in inside if entry.name.lower().endswith(".sql")]
    return list(_sources(paths, [workspace.relative(Path(path)) for path in paths], "migration"))


def identity(base: KnowledgeBase) -> str:
    """What tells the index of *base* from another's."""
    return f"{base.root}\n{base.workspace.root}"


def consult(
    identity: str,
    sources: Sequence[Source],
    kinds: Sequence[Kind],
    work: Callable[[apsw.Connection], T],
    show: Show = _quiet,
) -> T:
    """What *work* makes of the up-to-date index of *sources*, which are all there are of *kinds*.

    *identity* tells one knowledge base's index from another's; *show* hears how many of the changed files are in it.
    """

    def current(connection: apsw.Connection) -> T:
        refresh(connection, sources, kinds, show)
        return at_one_moment(connection, work)

    digest = hashlib.sha256(identity.encode("utf-8", "surrogateescape")).hexdigest()[:16]
    return within(Kept(f"index-{digest}", _TABLES, VERSION), current)


def refresh(connection: apsw.Connection, sources: Sequence[Source], kinds: Sequence[Kind], show: Show = _quiet) -> None:
    """Bring the index up to date: changed files by content, gone files out."""
    known: dict[str, dict[str, str]] = {
        kind: dict(connection.execute("SELECT name, stamp FROM pages WHERE kind = ?", (kind,))) for kind in kinds
    }
    there = {kind: {each.name for each in sources if each.kind == kind} for kind in kinds}
    gone = [(kind, name) for kind in kinds for name in known[kind].keys() - there[kind]]
    if gone:
        with connection:
            for kind, name in sorted(gone):
                _remove(connection, kind, name)
    changed = [source for source in sources if known[source.kind].get(source.name) != source.stamp]
    for start in range(0, len(changed), BATCH):
        with connection:
            for source in changed[start : start + BATCH]:
                _take_in(connection, source)
        if len(changed) > BATCH:
            show(min(start + BATCH, len(changed)), len(changed))


def _sources(paths: Iterable[str], names: Iterable[str], kind: Kind) -> Iterator[Source]:
    # Every call passes every file through here, so each step counts a thousandfold.
    unsettled = time.time_ns() - SETTLED_NANOSECONDS
    for path, name in zip(paths, names, strict=True):
        try:
            seen = os.lstat(path)
        except OSError:  # gone since the folder was listed
            continue
        modified, changed, size = seen.st_mtime_ns, seen.st_ctime_ns, seen.st_size
        if not name.isascii():  # a name that is not UTF-8 is shown with its odd bytes spelled out
            name = name.encode("utf-8", "backslashreplace").decode()
        if os.sep != "/":
            name = name.replace(os.sep, "/")
        settled = modified < unsettled and changed < unsettled
        yield Source(name, kind, path, f"{modified} {changed} {size} {seen.st_ino}", settled, modified, size)


def _take_in(connection: apsw.Connection, source: Source) -> None:
    held = connection.execute(
        "SELECT id, digest FROM pages WHERE kind = ? AND name = ?", (source.kind, source.name)
    ).fetchone()
    stamp = source.stamp if source.settled else ""
    try:
        text = read_text(Path(source.path))
    except Unavailable as error:
        _remove(connection, source.kind, source.name)
        _insert(connection, source, stamp, fault=error.message)
        return
    digest = hashlib.sha256(text.encode()).digest()
    if held and held[1] == digest:
        connection.execute("UPDATE pages SET stamp = ?, changed = ? WHERE id = ?", (stamp, source.changed, held[0]))
        return
    _remove(connection, source.kind, source.name)
    _insert_text(connection, source, stamp, digest, text)


def _insert(connection: apsw.Connection, source: Source, stamp: str, *, fault: str | None = None) -> int:
    connection.execute(
        "INSERT INTO pages(name, kind, stamp, fault, changed, bytes) VALUES (?, ?, ?, ?, ?, ?)",
        (source.name, source.kind, stamp, fault, source.changed, source.bytes),
    )
    return connection.last_insert_rowid()


def _insert_text(connection: apsw.Connection, source: Source, stamp: str, digest: bytes, text: str) -> None:
    # What is kept outside the workspace holds no credential; lines stay where they are.
    text = SHAPES.sub(lambda shape: MASK + "\n" * shape[0].count("\n"), text)
    page = (migration_page if source.kind == "migration" else document_page)(source.name, text)
    number = _insert(connection, source, stamp)
    connection.execute(
        "UPDATE pages SET digest = ?, title = ?, scope = ?, component = ?, dated = ?, headings = ? WHERE id = ?",
        (digest, page.title, page.scope, page.component, page.dated, page.headings, number),
    )
    for part in page.parts:
        connection.execute(
            "INSERT INTO places(page, address, line, end, bare) VALUES (?, ?, ?, ?, ?)",
            (number, part.address, part.line, part.end, not part.body.strip()),
        )
        connection.execute(
            "INSERT INTO parts(rowid, title, address, body, name) VALUES (?, ?, ?, ?, ?)",
            (connection.last_insert_rowid(), page.title, part.address, part.body, source.name),
        )
    headings = "\n".join(dict.fromkeys(part.address.rsplit(SEPARATOR, 1)[-1] for part in page.parts))
    body = "".join(part.body for part in page.parts)
    connection.execute(
        "INSERT INTO whole(rowid, title, headings, body, name) VALUES (?, ?, ?, ?, ?)",
        (number, page.title, headings, body, source.name),
    )


def _remove(connection: apsw.Connection, kind: str, name: str) -> None:
    for (page,) in connection.execute("SELECT id FROM pages WHERE kind = ? AND name = ?", (kind, name)).fetchall():
        connection.execute("DELETE FROM parts WHERE rowid IN (SELECT id FROM places WHERE page = ?)", (page,))
        connection.execute("DELETE FROM places WHERE page = ?", (page,))
        connection.execute("DELETE FROM whole WHERE rowid = ?", (page,))
        connection.execute("DELETE FROM pages WHERE id = ?", (page,))
