"""Markdown as CommonMark sees it: front matter, headings, sections, lines."""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from mcp_daan.errors import Unavailable

if TYPE_CHECKING:
    from markdown_it import MarkdownIt

# Above this a file is no document that a person reads, and parsing it would take seconds.
DOCUMENT_BYTES = 8 * 2**20
# A heading is a line; what is longer would fill an answer with one title.
TITLE_CHARACTERS = 300
# CommonMark's line endings; str.splitlines knows others, which would shift every line number.
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
# A line of nothing but tags opens an HTML block that swallows the fence or heading below it. MDX reads on.
_TAG = r"</?{first}[\w.:-]*(?:\s[^<>\n\r]*)?/?>"
_COMPONENT_LINE = re.compile(rf"^[ \t]*(?:{_TAG.format(first='[A-Z]')}[ \t]*)+$", re.M)
_TAG_LINE = re.compile(rf"^[ \t]*(?:{_TAG.format(first='[A-Za-z]')}[ \t]*)+$", re.M)

_KEY = re.compile(r"""(?P<quote>["']?)(?P<key>[A-Za-z_][\w .-]*)(?P=quote)[ \t]*:(?:[ \t]+(?P<value>.*))?$""")
_OTHER_YAML = re.compile(r"[ \t#]|-(?:[ \t]|$)|$")
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "0": "\0"}
_NO_SCALAR = ("[", "{", "|", ">", "&", "*", "!")


@dataclass(frozen=True)
class Section:
    """A heading, its title bounded, and what stands under it; lines count from 1.

    `end` is the last line of the whole subtree, `own_end` the last line before the next heading of any level.
    `path` holds the titles from the outermost heading to this one.
    """

    title: str
    level: int
    line: int
    end: int
    path: tuple[str, ...]
    own_end: int


def read_text(path: Path) -> str:
    """The file's text, verbatim: line endings and a byte order mark stay.

    Raises Unavailable when it cannot be read, is not UTF-8 or is larger than a document may be.
    """
    try:
        if path.stat().st_size > DOCUMENT_BYTES:
            raise Unavailable(
                f"{path.name} is larger than {DOCUMENT_BYTES // 2**20} MiB.",
                advice=f"Split {path.name} into smaller documents.",
            )
        return path.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        raise Unavailable(
            f"{path.name} is not UTF-8 text (byte {error.start}).",
            advice=f"Save {path.name} as UTF-8, for example with `iconv -f WINDOWS-1252 -t UTF-8`.",
        ) from None
    except OSError:
        raise Unavailable(
            f"{path.name} could not be read.", advice=f"Check that {path.name} still exists, and its rights."
        ) from None


def lines_of(text: str) -> list[str]:
    """The lines of *text* with their endings; joined they are *text*."""
    return _LINE.findall(text)


def front_matter(text: str) -> tuple[dict[str, str], int]:
    """The scalars of the front matter as text, and how many lines it takes; `({}, 0)` without one.

    Lists, mappings, nulls and blocks are left out.
    """
    if not text.startswith(("---", "\ufeff---")):
        return {}, 0
    lines = [line.rstrip() for line in lines_of(text.removeprefix("\ufeff"))]
    end = next((number for number, line in enumerate(lines) if number and line in ("---", "...")), 0)
    if lines[0] != "---" or not end:
        return {}, 0
    values: dict[str, str] = {}
    keys = 0
    for line in lines[1:end]:
        found = _KEY.match(line)
        if found is None and not _OTHER_YAML.match(line):
            return {}, 0  # prose between two rules, not front matter
        if found is not None:
            keys += 1
            value = _scalar(found["value"] or "")
            if value is not None:
                values[found["key"].rstrip()] = value
    return (values, end + 1) if keys else ({}, 0)


def sections(text: str, *, mdx: bool = False) -> list[Section]:
    """The sections of *text*, in order, by CommonMark's headings outside lists and quotes.

    With *mdx* every line of tags is read as MDX does, otherwise only those of components (`<Tabs>`).
    """
    _, skipped = front_matter(text)
    plain = text.removeprefix("\ufeff")
    if skipped:
        plain = "".join(lines_of(plain)[skipped:])
    if "<" in plain:
        plain = (_TAG_LINE if mdx else _COMPONENT_LINE).sub("", plain)
    tokens = _parser().parse(plain)
    headings = [
        (int(token.tag[1]), token.map[0] + 1 + skipped, " ".join(tokens[number + 1].content.split())[:TITLE_CHARACTERS])
        for number, token in enumerate(tokens)
        if token.type == "heading_open" and token.level == 0 and token.map is not None
    ]
    return _tree(headings, len(lines_of(text)))


def document_title(text: str, name: str, *, found: list[Section] | None = None) -> str:
    """The document's title: of its front matter, else its first heading, else *name*."""
    title = front_matter(text)[0].get("title")
    if title:
        return title[:TITLE_CHARACTERS]
    first = next(iter(sections(text) if found is None else found), None)
    return (first.title if first else "") or name


def _tree(headings: list[tuple[int, int, str]], last: int) -> list[Section]:
    ends = [last] * len(headings)
    open_: list[int] = []
    paths: list[tuple[str, ...]] = []
    for number, (level, line, title) in enumerate(headings):
        while open_ and headings[open_[-1]][0] >= level:
            ends[open_.pop()] = line - 1
        paths.append((*(paths[open_[-1]] if open_ else ()), title))
        open_.append(number)
    starts = [line for _, line, _ in headings[1:]] + [last + 1]
    return [
        Section(title, level, line, ends[number], paths[number], starts[number] - 1)
        for number, (level, line, title) in enumerate(headings)
    ]


@cache
def _parser() -> "MarkdownIt":
    # Imported when first needed: a server starts without it. Inline text is not ours to read.
    from markdown_it import MarkdownIt

    return MarkdownIt("commonmark").disable("inline")


def _scalar(raw: str) -> str | None:
    raw = raw.strip()
    if raw[:1] == '"':
        found = re.match(r'"((?:[^"\\]|\\.)*)"', raw)
        return re.sub(r"\\(.)", lambda part: _ESCAPES.get(part[1], part[1]), found[1]) if found else raw
    if raw[:1] == "'":
        found = re.match(r"'((?:[^']|'')*)'", raw)
        return found[1].replace("''", "'") if found else raw
    value = re.split(r"(?:^|[ \t])#", raw, maxsplit=1)[0].rstrip()
    return None if value in ("", "~", "null") or value.startswith(_NO_SCALAR) else value
