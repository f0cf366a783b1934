"""The optional leg of search that goes by meaning; without the extra `semantic` it is absent, and nothing changes.

The model is loaded when first needed, in a thread. What documents mean is worked out by a process of its own.
"""

import os
import subprocess
import sys
import threading
from collections.abc import Container, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as TookTooLong
from contextlib import suppress
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from mcp_daan.knowledge.base import KnowledgeBase
from mcp_daan.knowledge.retrieval import arithmetic
from mcp_daan.knowledge.retrieval.kept import within
from mcp_daan.knowledge.retrieval.ranking import Near

if TYPE_CHECKING:
    from mcp_daan.knowledge.retrieval.vectors import Shelf

# The model is there in a second; on a machine too busy for it, search goes by words alone for now.
PATIENCE_SECONDS = 10.0
# With so much of the pages known, the rest may be found by words meanwhile.
ENOUGH = 0.95
NEAREST = 100
# No other variable of the server's is passed on: its environment holds secrets.
VARIABLES = (
    *("PATH", "PYTHONPATH", "PYTHONHOME", "SYSTEMROOT", "TEMP", "TMP", "TMPDIR", "LD_LIBRARY_PATH"),
    *("HOME", "USERPROFILE", "APPDATA", "LOCALAPPDATA", "XDG_CACHE_HOME"),
)


class Meaning:
    """The model and the vectors of one server; `close` ends what works for it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._thread = ThreadPoolExecutor(1, "meaning")
        self._vectors: Future[Any] | None = None
        self._model: Future[Any] | None = None
        self._encoded = lru_cache(64)(lambda phrase: self._thread.submit(self._encode, phrase))
        self._held: dict[bytes, Any] = {}
        self._table: tuple[Mapping[int, bytes], Shelf] | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._given: frozenset[bytes] = frozenset()

    def of(self, base: KnowledgeBase, pages: Mapping[int, bytes]) -> "Sense | None":
        """What is known of the meaning of *pages*, by their content; what is not begins to be worked out.

        None without the extra.
        """
        if not arithmetic.present():
            return None
        with self._lock:
            if self._vectors is None:
                self._vectors = self._thread.submit(arithmetic.vectors)
            vectors, trouble = _waited(self._vectors)
            if vectors is None:
                return Sense(self, None, trouble)
            ended = self._process is not None and self._process.poll() is not None
            missing = self._fetch(vectors, frozenset(pages.values()))
            if missing and ended and missing <= self._given:
                return Sense(self, None, f"{_NOT}: reading the pages ended early. `mcp-daan index` says why.")
            if missing and (ended or self._process is None) and not self._begin(base, missing):
                return Sense(self, None, f"{_NOT}: a process to read the pages could not be started.")
            known = sum(key not in missing for key in pages.values())
            if known < ENOUGH * len(pages):
                return Sense(self, None, _progress(known, len(pages)))
            return Sense(self, self._shelf(vectors, pages), None)

    def vector(self, phrase: str) -> tuple[Any, str | None]:
        """The vector of *phrase*; None and the reason when there is none."""
        with self._lock:
            if self._model is None:
                self._model = self._thread.submit(self._load)
            asked = self._encoded(phrase)
        return _waited(asked)

    def close(self) -> None:
        """End the process; what it kept stays."""
        with self._lock:
            self._thread.shutdown(wait=False, cancel_futures=True)
            if self._process is not None:
                self._process.kill()
                self._process.wait()
                _close(self._process)
                self._process = None

    def _load(self) -> Any:
        assert self._vectors is not None
        return self._vectors.result().load_model()

    def _encode(self, phrase: str) -> Any:
        assert self._model is not None
        return self._model.result().encode(phrase)

    def _fetch(self, vectors: Any, keys: frozenset[bytes]) -> frozenset[bytes]:
        """Take in what is kept of *keys*, forget other content, and return what is missing."""
        self._held = {key: pieces for key, pieces in self._held.items() if key in keys}
        wanted = keys - self._held.keys()
        if wanted:
            self._held |= within(vectors.store(), lambda connection: vectors.read(connection, wanted))
        return keys - self._held.keys()

    def _shelf(self, vectors: Any, pages: Mapping[int, bytes]) -> "Shelf":
        known = {page: key for page, key in pages.items() if key in self._held}
        if self._table is None or self._table[0] != known:
            shelf = vectors.Shelf({page: self._held[key] for page, key in known.items()})
            self._table = known, shelf
        return self._table[1]

    def _begin(self, base: KnowledgeBase, missing: frozenset[bytes]) -> bool:
        if self._process is not None:
            _close(self._process)
            self._process = None
        # -P: never import from the working folder, which is the caller's.
        names = (str(base.root), base.component, str(base.workspace.root))
        environment = {name: os.environ[name] for name in VARIABLES if name in os.environ}
        environment |= dict.fromkeys(arithmetic.THREADS, "1")
        self._given = missing
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "mcp_daan.knowledge.retrieval.embedding", *names],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=environment,
            )
        except OSError:
            return False
        return True


class Sense:
    """What is known of some pages' meaning now; `advice` says why, where it is not."""

    def __init__(self, meaning: Meaning, shelf: "Shelf | None", advice: str | None) -> None:
        self.meaning = meaning
        self.shelf = shelf
        self.advice = advice

    @property
    def enough(self) -> float:
        """How near a page has to be that holds none of the words."""
        return 1.0 if self.shelf is None else self.shelf.enough

    @property
    def broken(self) -> bool:
        """Whether the extra is there and does not work."""
        return (self.advice or "").startswith(_NOT)

    def nearest(self, phrase: str, allowed: Container[int], about: Container[tuple[int, int]] | None) -> list[Near]:
        """The pages in *allowed* nearest to *phrase*; of *about*, if given, only those (page, part) count."""
        if self.shelf is None:
            return []
        vector, advice = self.meaning.vector(phrase)
        self.advice = self.advice or advice
        return [] if vector is None else self.shelf.nearest(vector, NEAREST, allowed, about)


_NOT = "By words alone, the extra `semantic` does not work"


def _progress(known: int, total: int) -> str:
    return f"So far by words alone: {known} of {total} pages are read for meaning. `mcp-daan index` waits for the rest."


def _waited(future: "Future[Any]") -> tuple[Any, str | None]:
    try:
        error = future.exception(PATIENCE_SECONDS)
    except TookTooLong:
        return None, "By words alone this time: the model is still being loaded."
    if error is None:
        return future.result(), None
    return (
        None,
        f"{_NOT} ({type(error).__name__}). Install it again: `pip install --force-reinstall mcp-daan[semantic]`.",
    )


def _close(process: "subprocess.Popen[bytes]") -> None:
    with suppress(OSError):  # its other end is gone
        if process.stdin is not None:
            process.stdin.close()
