"""What a page of others must not bring along: what nobody sees, what runs, what looks like a credential."""

import re
import unicodedata
from collections.abc import Callable

from mcp_daan.knowledge.lessons.wording import unseen_in
from mcp_daan.knowledge.markdown import front_matter, lines_of

_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.S)
_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})")
_INLINE_CODE = re.compile(r"(`{1,9})(?!`).{1,400}?(?<!`)\1(?!`)", re.S)


def cleaned(markdown: str, redact: Callable[[str], str]) -> tuple[str, list[str]]:
    """*markdown* without its front matter, comments, unseen characters and secrets; and what was taken out."""
    text = unicodedata.normalize("NFC", markdown.removeprefix("\ufeff")).replace("\r\n", "\n").replace("\r", "\n")
    _, skipped = front_matter(text)
    text = "".join(lines_of(text)[skipped:])
    notes = []
    seen = "".join(each for place, each in enumerate(text) if not unseen_in(text, place))
    if seen != text:
        notes.append(f"{len(text) - len(seen)} invisible characters were taken out")
    plain = without_comments(seen)
    if plain != seen:
        notes.append("comments were taken out")
    safe = redact(plain)
    if safe != plain:
        notes.append("what looks like a credential was masked")
    return safe.strip("\n") + "\n", notes


def without_comments(text: str) -> str:
    """*text* without HTML comments, which readers do not see; in code they are what the page is about."""
    kept: list[str] = []
    prose: list[str] = []
    fence = ""

    def flush() -> None:
        kept.append(_without("".join(prose)))
        prose.clear()

    for line in lines_of(text):
        mark = _FENCE.match(line)
        if fence:
            kept.append(line)
            if mark and mark[1].startswith(fence) and not line.strip(" \n`~"):
                fence = ""
        elif mark:
            flush()
            fence = mark[1]
            kept.append(line)
        else:
            prose.append(line)
    flush()
    return "".join(kept)


def _without(prose: str) -> str:
    codes = [found.span() for found in _INLINE_CODE.finditer(prose)]
    return _COMMENT.sub(
        lambda found: found[0] if any(start < found.start() < end for start, end in codes) else "", prose
    )
