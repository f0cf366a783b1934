"""Turn the pages of the lessons while others write: each that was there comes once."""

import base64
import binascii
import json
from collections.abc import Sequence
from datetime import date

from mcp_daan.errors import InvalidArguments
from mcp_daan.knowledge.lessons.lessons import Lesson


def cursor_after(lesson: Lesson, mark: str) -> str:
    """A cursor for what follows *lesson* in the list that *mark* identifies."""
    place = [lesson.date or "", lesson.written, lesson.path, lesson.line or 0, mark]
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode().rstrip("=")


def place_of(cursor: str | None, lessons: Sequence[Lesson], mark: str) -> int:
    """Where in *lessons*, newest first, the page of *cursor* begins; 0 without one.

    It is behind where the lesson stood that ended the page before, be that still there or not.
    Raises InvalidArguments for a cursor that no such list gave.
    """
    if cursor is None:
        return 0
    found = _decoded(cursor, mark)
    if found is None:
        raise InvalidArguments(
            "`cursor` does not belong to this list.",
            advice="Pass `data.nextCursor` of the last answer with the same other arguments, or leave `cursor` out.",
        )
    day, written, path, line = found
    newer = ((each.date or "", each.written) for each in lessons)
    names = ((each.path, each.line or 0) for each in lessons)
    before = [
        kind > (day, written) or (kind == (day, written) and at <= (path, line))
        for kind, at in zip(newer, names, strict=True)
    ]
    return sum(before)


def _decoded(cursor: str, mark: str) -> tuple[str, int, str, int] | None:
    try:
        day, written, path, line, seen = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        whole = all(isinstance(each, int) for each in (written, line)) and isinstance(path, str)
        if day:
            date.fromisoformat(day)
    except (ValueError, TypeError, binascii.Error):
        return None
    return (day, written, path, line) if whole and seen == mark else None
