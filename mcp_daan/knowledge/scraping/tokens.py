"""HTML taken apart in one pass that never looks back, as browsers do: hostile pages cost no more than others.

The standard library's parser takes minutes for a page of comments that never end.
"""

import html as entities
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

_NAME = re.compile(r"[A-Za-z][^\s/>]*")
_BETWEEN = re.compile(r"[\s/]*")
_ATTRIBUTE = re.compile(r"[^\s/>=][^\s/>=]*|=[^\s/>=]*")
_EQUALS = re.compile(r"\s*=\s*")
_BARE = re.compile(r"[^\s>]*")
# Their text is no markup, up to their own end.
_RAW = {"script", "style", "textarea", "title", "xmp", "iframe", "noembed", "noframes"}


@dataclass(frozen=True)
class Text:
    """Text, with its entities resolved."""

    text: str


@dataclass(frozen=True)
class Start:
    """A start tag; names in small letters."""

    tag: str
    values: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class End:
    """An end tag."""

    tag: str


def tokens(html: str) -> Iterator[Text | Start | End]:
    """The texts and tags of *html*, without comments and declarations."""
    place = 0
    while place < len(html):
        mark = html.find("<", place)
        if mark < 0:
            mark = len(html)
        if mark > place:
            yield Text(entities.unescape(html[place:mark]))
        if mark + 1 >= len(html):
            return
        after = html[mark + 1]
        if after in "!?":
            place = _past(html, "-->" if html.startswith("!--", mark + 1) else ">", mark + 2)
        elif after == "/" and _NAME.match(html, mark + 2):
            name = _NAME.match(html, mark + 2)
            assert name is not None
            yield End(name[0].lower())
            place = _past(html, ">", name.end())
        elif (name := _NAME.match(html, mark + 1)) is not None:
            values, place = _values(html, name.end())
            tag = name[0].lower()
            yield Start(tag, values)
            if tag in _RAW:
                end = _raw_end(html, tag, place)
                yield Text(entities.unescape(html[place:end]) if tag in ("title", "textarea") else "")
                place = end
        else:
            yield Text("<")
            place = mark + 1


def _past(html: str, sign: str, place: int) -> int:
    found = html.find(sign, place)
    return len(html) if found < 0 else found + len(sign)


def _raw_end(html: str, tag: str, place: int) -> int:
    found = re.compile(rf"</{tag}(?=[\s/>])", re.I).search(html, place)
    return found.start() if found else len(html)


def _values(html: str, place: int) -> tuple[dict[str, str], int]:
    """The attributes of a tag, and the place behind it; a tag that never ends takes the rest."""
    values: dict[str, str] = {}
    while True:
        place = _past_blanks(html, place)
        if place >= len(html):
            return values, place
        if html[place] == ">":
            return values, place + 1
        name = _ATTRIBUTE.match(html, place)
        assert name is not None
        place, value = name.end(), ""
        equals = _EQUALS.match(html, place)
        if equals is not None:
            place = equals.end()
            if html[place : place + 1] in ('"', "'"):
                end = html.find(html[place], place + 1)
                end = len(html) if end < 0 else end
                value, place = html[place + 1 : end], end + 1
            else:
                bare = _BARE.match(html, place)
                assert bare is not None
                value, place = bare[0], bare.end()
        if len(values) < 100:
            values.setdefault(name[0].lower(), entities.unescape(value))


def _past_blanks(html: str, place: int) -> int:
    found = _BETWEEN.match(html, place)
    return found.end() if found else place
