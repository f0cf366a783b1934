"""One page of rows: as many as were asked for and as there is room for, as JSON."""

import json
import marshal
import operator
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any, NamedTuple

from mcp_daan.d1.values import MASK, SQLValue, column_to_wire
from mcp_daan.errors import TooLarge

Row = tuple[SQLValue, ...]
# The second form that marshal knows is the last in which every value stands whole. JSON takes at most six bytes for
# each byte of it, the comma counted: for text of control characters. Whatever else there is takes less.
FORM, MOST_JSON_BYTES = 2, 6
# Rows before the page are read to be compared only, so much of them at a time.
PASSED_BYTES = 1 << 18

_json: Callable[[object], str] = json.JSONEncoder(
    ensure_ascii=False, check_circular=False, allow_nan=False, separators=(",", ":")
).encode


class Page(NamedTuple):
    """The rows of one page, as many as *row_count*, as JSON in *text*.

    *skipped* and *seen* digest the rows before it and up to its end, as they are shown; *seen* only if there are *more*.
    """

    row_count: int
    text: str
    more: bool
    cut: bool
    skipped: str
    seen: str


def collected(
    rows: Iterator[Row], skip: int, limit: int, room: int, masked: Sequence[bool], *, before: int = 0
) -> Page:
    """The page of *rows* after the first *skip*; *before* counts those that are not among them."""
    digest = _Digest()
    for batch in _batches(islice(rows, skip), lambda: PASSED_BYTES):
        digest.add(_text(_wire(batch, masked)))
    skipped = digest.told
    count, texts = 0, list[str]()
    more = cut = False

    def left() -> int:
        return room

    for batch in _batches(islice(rows, limit + 1), left):
        more = count + len(batch) > limit
        fitting = batch[: limit - count]
        if not fitting:
            break
        text = _text(_wire(fitting, masked))
        room -= _bytes(text) + 1
        if room < 0:
            more = cut = True
            break
        count += len(fitting)
        texts.append(text)
    if cut and not count:
        raise TooLarge(
            f"Row {before + skip + 1} alone is larger than an answer may be.",
            advice="Name the columns that you need, or take parts of long values with substr().",
        )
    for text in texts if more else ():
        digest.add(text)
    return Page(count, f"[{','.join(texts)}]", more, cut, skipped, digest.told if more else "")


def json_bytes(value: object) -> int:
    """How many bytes *value* has as JSON."""
    return _bytes(_json(value))


def _batches(rows: Iterator[Row], room: Callable[[], int]) -> Iterator[list[Row]]:
    """*rows* in lists that fit *room* as JSON for sure, and a row that might not in a list of its own.

    No row is taken before the one in front of it was given and is known to fit.
    """
    batch: list[Row] = []
    most, left = 0, room()
    for row in rows:
        size = MOST_JSON_BYTES * len(marshal.dumps(row, FORM))
        if batch and most + size > left:
            yield batch
            batch, most, left = [], 0, room()
        batch.append(row)
        most += size
        if most > left:
            yield batch
            batch, most, left = [], 0, room()
    if batch:
        yield batch


def _wire(rows: Sequence[Row], masked: Sequence[bool]) -> Sequence[Sequence[Any]]:
    """*rows* as they travel, looked at by whole columns."""
    hidden = (MASK,) * len(rows)
    columns = list(zip(*rows, strict=True))
    shown = [hidden if is_masked else column_to_wire(column) for column, is_masked in zip(columns, masked, strict=True)]
    # Most rows travel as they are.
    return rows if all(map(operator.is_, columns, shown)) else list(zip(*shown, strict=True))


def _text(rows: Sequence[Sequence[Any]]) -> str:
    """*rows* as JSON, without the brackets around them."""
    return _json(rows)[1:-1]


def _bytes(text: str) -> int:
    # What came over a network may hold half of a pair of surrogates.
    return len(text) if text.isascii() else len(text.encode("utf-8", "replace"))


class _Digest:
    """A digest of rows that is the same however they come in lists."""

    def __init__(self) -> None:
        self._sum: Any = None

    def add(self, text: str) -> None:
        if self._sum is None:
            # It loads OpenSSL, for which nobody waits who reads all there is.
            from hashlib import blake2b

            self._sum = blake2b(digest_size=9)
        self._sum.update(f"{text},".encode("utf-8", "replace"))

    @property
    def told(self) -> str:
        return self._sum.hexdigest() if self._sum is not None else ""
