"""The sentences of a text."""

import re
from collections.abc import Iterator

from mcp_daan.knowledge.validation.passages import Prose, Span

# A sentence with one of these speaks of what is not there, or not yet, or no more.
_ABSENT = re.compile(
    r"(?i)\b(?:removed|dropped|renamed|formerly|used to|no longer|instead of|exists? not|not (?:yet )?exist|no such"
    r"|there (?:is|are) no|missing|absent|lacks?|planned|will be|should|add|create|drop|bestaat niet|is er niet|geen"
    r"|niet meer|verwijderd|vervallen|hernoemd|voorheen|vroeger|ontbreekt|in plaats van|gepland|wordt toegevoegd"
    r"|toevoegen|zonder|without)\b|n't exist"
)
_SENTENCE_END = re.compile(r"(?<!e\.g)(?<!i\.e)(?<!\bca)(?<!max)(?<!bijv)(?<!\bvs)[.!?](?=\s|$)")


def sentences(prose: Prose) -> Iterator[tuple[Span, ...]]:
    """The sentences of a text, as spans that keep their lines."""
    taken: list[Span] = []
    for span in prose.spans:
        start = 0
        line = span.line
        for end in _SENTENCE_END.finditer(span.text) if span.kind in ("text", "bold") else ():
            piece = span.text[start : end.end()]
            yield (*taken, Span(span.kind, piece, line, span.target))
            taken, start = [], end.end()
            line += piece.count("\n")
        if span.text[start:] or span.kind in ("link", "image"):
            taken.append(Span(span.kind, span.text[start:], line, span.target))
    if taken:
        yield tuple(taken)


def speaks_of_absence(text: str) -> bool:
    """Whether *text* speaks of something that is not there, not yet or no more."""
    return _ABSENT.search(text) is not None
