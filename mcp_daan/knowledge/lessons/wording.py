"""The words of a lesson: what they may hold, and how they stand in a document without breaking its outline."""

import re
import unicodedata
from collections.abc import Callable
from functools import cache, lru_cache
from typing import TYPE_CHECKING

from mcp_daan.errors import InvalidArguments, Refused
from mcp_daan.knowledge.markdown import sections

if TYPE_CHECKING:
    from markdown_it import MarkdownIt

LENGTHS = {"title": 200, "author": 200, "problem": 20_000, "solution": 20_000, "evidence": 20_000}
ONE_LINE = ("title", "author")

_JOINER = "\u200d"
_EMOJI_STYLES = "\ufe0e\ufe0f"
# Not of a control or format category, and yet nobody sees them.
_UNSEEN = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\uffa0\ufe00-\ufe0d\U000e0100-\U000e01ef]")
_WHY = {
    "Cc": "a control character",
    "Cf": "an invisible or direction-changing character",
    "Cs": "half a surrogate pair",
    "Zl": "a line separator",
    "Zp": "a paragraph separator",
}

# What can make a heading, or open a block that does not end by itself. A backslash before it makes it plain text.
_MARK = r"(?:#{1,6}(?:[ \t]|$)|`{3}|~{3}|<|=+[ \t]*$|-+[ \t]*$)"
_MARKED = re.compile(rf"^( {{0,3}})(?={_MARK})")
_GUARDED = re.compile(rf"^( {{0,3}})\\(\\*{_MARK})")
# The headings and comments by which our own files are read again.
_RESERVED = re.compile(r" {0,3}(?:## (?:Problem|Solution|Evidence)|<!-- /?lessons\b.*)[ \t]*$")
_ROUNDS = 6


def normalised(text: str) -> str:
    """*text* with `\\n` line endings, without blank lines at its start and blanks at its end."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").rstrip()
    return re.sub(r"\A(?:[ \t]*\n)+", "", text)


def checked(name: str, text: str, redact: Callable[[str], str]) -> str:
    """*text* normalised, if the argument *name* may hold it.

    Raises InvalidArguments when it is empty or too long, Refused with the reason when it holds what nobody sees
    or *redact* finds a secret in it; the reason never repeats the text.
    """
    text = text.strip() if name in ONE_LINE else normalised(text)
    if not text.strip() or len(text) > LENGTHS[name]:
        raise InvalidArguments(
            f"`{name}` is {'longer than' if text else 'empty, not'} 1 to {LENGTHS[name]} characters.",
            advice=f"Give `{name}` in 1 to {LENGTHS[name]} characters.",
        )
    if name in ONE_LINE and ("\n" in text or "\r" in text):
        raise Refused(f"`{name}` is more than one line.", advice=f"Give `{name}` in one line.")
    why = _unseen(text, "" if name in ONE_LINE else "\n\t")
    if why is not None:
        raise Refused(f"`{name}` holds {why}.", advice=f"Write `{name}` in plain, visible characters.")
    if redact(text) != text:
        raise Refused(
            f"`{name}` holds something that looks like a credential.",
            advice=f"Leave the value out of `{name}` and say where it is kept; if it was real, revoke it.",
        )
    return text


@lru_cache(maxsize=4096)  # the view is made again with every list, mostly of the same texts
def guarded(text: str, deepest: int) -> str:
    """*text* as it can stand under a heading of level *deepest*: nothing in it ends that section or swallows the next.

    Headings down to that level and blocks left open get a backslash, which markdown does not show.
    """
    lines = text.split("\n")
    for number, line in enumerate(lines):
        if _GUARDED.match(line) or _RESERVED.match(line):
            lines[number] = _MARKED.sub(r"\1\\", _GUARDED.sub(r"\1\\\\\2", line))
    for _ in range(_ROUNDS):
        exposed = _exposed(lines, deepest) if any(map(_MARKED.match, lines)) else []
        if not exposed:
            return "\n".join(lines)
        for number in exposed:
            lines[number] = _MARKED.sub(r"\1\\", lines[number])
    return "\n".join(_MARKED.sub(r"\1\\", line) for line in lines)


def unguarded(text: str) -> str:
    """What `guarded` was given."""
    return "\n".join(_GUARDED.sub(r"\1\2", line) for line in text.split("\n"))


def _exposed(lines: list[str], deepest: int) -> list[int]:
    """The marked lines that would be headings too high, or open what swallows the line after the text."""
    text = "\n".join(lines)
    blocks = [
        (token.type, int(token.tag[1:]) if token.type == "heading_open" else 0, token.map)
        for token in _parser().parse(f"{text}\n\n# end")
        if token.level == 0 and token.map is not None
    ]
    # For a heading with an underline the last line is the one that makes it.
    found = {extent[1] - 1 for kind, level, extent in blocks if kind == "heading_open" and level <= deepest}
    if len(lines) + 1 not in found and blocks:
        found |= set(range(blocks[-1][2][0], len(lines)))
    if "<" in text:
        found |= _exposed_past_tags(lines, deepest)
    return [number for number in sorted(found) if number < len(lines) and _MARKED.match(lines[number])]


def _exposed_past_tags(lines: list[str], deepest: int) -> set[int]:
    """The same for our own reader: it passes over lines of tags, so what they hide from others it sees."""
    text = "\n".join(lines)
    read = [(each.line - 2, each.level) for each in sections(f"\n{text}\n\n# end")]
    if (len(lines) + 1, 1) not in read:
        return set(range(len(lines)))
    tops = [number for number, level in read if level <= deepest]
    # From the heading's first line on, the first mark is the one that makes it.
    return {next((each for each in range(top, len(lines)) if _MARKED.match(lines[each])), len(lines)) for top in tops}


@cache
def _parser() -> "MarkdownIt":
    # Imported when first needed: a server starts without it.
    from markdown_it import MarkdownIt

    return MarkdownIt("commonmark").disable("inline")


def _unseen(text: str, allowed: str) -> str | None:
    return next((why for place in range(len(text)) if (why := unseen_in(text, place, allowed)) is not None), None)


def unseen_in(text: str, place: int, allowed: str = "\n\t") -> str | None:
    """Why the character at *place* may not stand there: nobody sees it; None when it may."""
    each = text[place]
    if " " <= each <= "~" or each in allowed:
        return None
    if _UNSEEN.match(each):
        return _WHY["Cf"]
    kind = unicodedata.category(each)
    if kind in _WHY and not (each == _JOINER and _joins_emoji(text, place)):
        return _WHY[kind]
    if each in _EMOJI_STYLES and (place == 0 or text[place - 1] in _EMOJI_STYLES):
        return _WHY["Cf"]
    return None


def _joins_emoji(text: str, place: int) -> bool:
    before = text[place - 1] if place else " "
    after = text[place + 1] if place + 1 < len(text) else " "
    return (before in _EMOJI_STYLES or unicodedata.category(before) in ("So", "Sk")) and unicodedata.category(
        after
    ) == "So"
