"""The piece of a text that shows best why it was found."""

import re
from collections.abc import Sequence
from itertools import islice

LENGTH = 240
BEFORE = 60
MOST_HITS = 2000


def snippet(text: str, wanted: Sequence[str]) -> str:
    """At most LENGTH characters of *text*, verbatim, where most of the *wanted* words stand together."""
    if len(text.strip()) <= LENGTH:
        return text.strip()
    hits = _hits(text, wanted)
    start = _line_start(text, _densest(hits)) if hits else len(text) - len(text.lstrip())
    end = start + LENGTH
    if end < len(text) and not text[end].isspace():
        # Back to the last whole word, unless that would leave next to nothing.
        space = max(text.rfind(" ", start, end), text.rfind("\n", start, end))
        end = space if space > start + LENGTH // 2 else end
    return text[start:end].strip()


def tail(text: str, start: int) -> str:
    """*text* from *start* on, from a word's begin; from further up where less than LENGTH would be left."""
    if not start:
        return text
    start = min(start, max(len(text) - LENGTH, 0))
    return text[max(text.rfind(" ", 0, start), text.rfind("\n", 0, start)) + 1 :]


def _hits(text: str, wanted: Sequence[str]) -> list[tuple[int, str]]:
    stems = sorted({_stem(word) for word in wanted}, key=len, reverse=True)
    if not stems:
        return []
    pattern = re.compile(r"(?<![^\W_])(?:" + "|".join(map(re.escape, stems)) + ")", re.I)
    return [(found.start(), found[0].lower()) for found in islice(pattern.finditer(text), MOST_HITS)]


def _stem(word: str) -> str:
    # Near enough to what the index's stemmer leaves, for showing; long words differ in their endings only.
    return word if len(word) < 6 else word[: max(5, len(word) - 3)]


def _densest(hits: Sequence[tuple[int, str]]) -> int:
    def worth(number: int) -> int:
        first = hits[number][0]
        inside = set()
        for place, stem in hits[number : number + LENGTH]:
            if place - first > LENGTH - BEFORE:
                break
            inside.add(stem)
        return len(inside)

    return hits[max(range(len(hits)), key=worth)][0]


def _line_start(text: str, hit: int) -> int:
    """The begin of the line with the hit, if it is near; else of a word near before it."""
    begin = text.rfind("\n", 0, hit) + 1
    if hit - begin <= BEFORE:
        return begin
    space = text.find(" ", hit - BEFORE, hit)
    return space + 1 if space >= 0 else hit
