"""Make the vectors that are missing: in a process of its own beside a server, or for a person who waits for them.

    python -m mcp_daan.knowledge.retrieval.embedding ROOT COMPONENT WORKSPACE

ends when all are made, or as soon as its standard input is closed: whoever started it is gone.
"""

import os
import sys
import threading
import time
from collections.abc import Callable
from contextlib import closing, suppress
from functools import partial
from pathlib import Path
from typing import Any

import apsw

from mcp_daan.knowledge.base import KnowledgeBase
from mcp_daan.knowledge.retrieval import arithmetic
from mcp_daan.knowledge.retrieval.index import consult, identity, scan_documents
from mcp_daan.knowledge.retrieval.kept import within
from mcp_daan.workspace import Workspace, cache_folder

# Pages between two looks at what is there now: about a second's work.
PAGES = 8
LOCK = "vectors.lock.sqlite"
DAY_SECONDS = 24 * 3600

Parts = list[tuple[str, str, str]]


def embed_missing(base: KnowledgeBase, show: Callable[[int, int], None] = lambda done, total: None) -> int:
    """Make and keep the vectors that *base* lacks, and return how many pages it has; *show* is told how far it is."""
    with closing(_turn()):
        vectors = arithmetic.vectors()
        store, model = vectors.store(), None
        while True:
            look = partial(_missing, kept=within(store, vectors.keys))
            contents, lacking, next_pages = consult(identity(base), scan_documents(base), ("document",), look)
            show(len(contents) - lacking, len(contents))
            if not next_pages:
                within(store, partial(vectors.tidy, used=set(contents), today=int(time.time() // DAY_SECONDS)))
                return len(contents)
            model = model or vectors.load_model()
            made = [(key, vectors.embedded(model, parts)) for key, parts in next_pages.items()]
            within(store, partial(vectors.keep, made=made))


def main(arguments: list[str]) -> int:
    """What the module's docstring says."""
    threading.Thread(target=_end_with_standard_input, daemon=True).start()
    with suppress(OSError, AttributeError):  # not every system lets a process stand back
        os.nice(10)
    root, component, workspace = arguments
    embed_missing(KnowledgeBase(Path(root), component, "workspace", Workspace(Path(workspace))))
    return 0


def _turn() -> apsw.Connection:
    """One process at a time embeds, however many servers there are; the next finds what this one kept."""
    folder = cache_folder()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    connection = apsw.Connection(str(folder / LOCK))
    connection.set_busy_timeout(DAY_SECONDS * 1000)
    connection.execute("BEGIN EXCLUSIVE")
    return connection


def _missing(connection: apsw.Connection, kept: set[bytes]) -> tuple[list[bytes], int, dict[bytes, Parts]]:
    """What the pages hold, how many of them lack vectors, and the parts of the first of these."""
    rows: list[Any] = connection.execute(
        "SELECT id, digest FROM pages WHERE kind = 'document' AND digest IS NOT NULL ORDER BY name"
    ).fetchall()
    missing = {digest: page for page, digest in rows if digest not in kept}
    contents = [digest for _, digest in rows]
    parts = {key: _parts(connection, page) for key, page in list(missing.items())[:PAGES]}
    return contents, sum(digest in missing for digest in contents), parts


def _parts(connection: apsw.Connection, page: int) -> Parts:
    parts: list[Any] = connection.execute(
        "SELECT title, places.address, body FROM places JOIN parts ON parts.rowid = places.id"
        " WHERE page = ? ORDER BY places.id",
        (page,),
    ).fetchall()
    return parts


def _end_with_standard_input() -> None:
    sys.stdin.buffer.read()
    os._exit(0)  # what was committed stays; the rest is made anew


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
