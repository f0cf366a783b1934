"""Cut long lists at item borders: by `limit`, by bytes, with a cursor for the rest."""

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from mcp_daan.errors import InvalidArguments, TooLarge
from mcp_daan.protocol import Model, json_bytes

T = TypeVar("T")
# What an answer needs beside its lists: the seven keys, names, a sentence, advice.
ENVELOPE_BYTES = 4096


@dataclass(frozen=True)
class Page(Generic[T]):
    """The items of one page; `cut` says that bytes ended it before `limit` did."""

    items: list[T]
    next_cursor: str | None
    cut: bool


def encode_cursor(offset: int, mark: str = "") -> str:
    """An opaque cursor for *offset* in the list that *mark* identifies."""
    return base64.urlsafe_b64encode(json.dumps([offset, mark]).encode()).decode().rstrip("=")


def decode_cursor(cursor: str | None, mark: str = "") -> int:
    """The offset in *cursor*; 0 without one.

    Raises InvalidArguments for a cursor that no list of ours gave, or that another list gave.
    """
    if cursor is None:
        return 0
    try:
        offset, seen = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, TypeError, binascii.Error):
        offset, seen = -1, None
    if not isinstance(offset, int) or isinstance(offset, bool) or offset < 0 or seen != mark:
        raise InvalidArguments(
            "`cursor` does not belong to this list.",
            advice="Pass `data.nextCursor` of the last answer with the same other arguments, or leave `cursor` out to start again.",
        )
    return offset


def page(items: Sequence[T], *, limit: int, cursor: str | None, max_bytes: int, mark: str = "") -> Page[T]:
    """The page of *items* that *cursor* opens, at most *limit* items and *max_bytes* of JSON.

    *mark* ties the cursor to one list: pass what identifies its arguments and contents.
    Raises TooLarge when a single item is larger than *max_bytes*.
    """
    start = min(decode_cursor(cursor, mark), len(items))
    room = max_bytes - ENVELOPE_BYTES
    taken: list[T] = []
    for item in items[start : start + limit]:
        room -= json_bytes(item.model_dump(mode="json", by_alias=True) if isinstance(item, Model) else item) + 1
        if room < 0:
            break
        taken.append(item)
    end = start + len(taken)
    cut = end < min(start + limit, len(items))
    if cut and not taken:
        raise TooLarge(
            f"Item {start} alone is larger than an answer may be ({max_bytes} bytes).",
            advice="Ask for less of it, or raise `max_answer_bytes` under `[limits]` in daan.toml.",
        )
    return Page(taken, encode_cursor(end, mark) if end < len(items) else None, cut)


def page_lists(
    lists: Mapping[str, Sequence[T]], *, cursor: str | None, max_bytes: int, mark: str = ""
) -> tuple[dict[str, list[T]], Page[T]]:
    """Several lists of one answer paged as if they were one, in the order given.

    Gives each list's part of the page by name, and the page itself for its cursor.
    """
    flat = [(name, item) for name, items in lists.items() for item in items]
    cut = page([item for _, item in flat], limit=len(flat), cursor=cursor, max_bytes=max_bytes, mark=mark)
    start = min(decode_cursor(cursor, mark), len(flat))
    parts: dict[str, list[T]] = {name: [] for name in lists}
    for name, item in flat[start : start + len(cut.items)]:
        parts[name].append(item)
    return parts, cut
