"""How a document may be mended where a finding says that it is wrong: changes of lines, the likeliest first."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["swap", "drop", "column", "append"]
_ROW = re.compile(r"\s*\|")
_ITEM = re.compile(r"(?P<indent>\s*)(?P<mark>[-*+]|\d+[.)])\s+")
_HEADING = re.compile(r" {0,3}(#{1,6})\s")
_FENCE = re.compile(r"\s{0,3}(`{3,}|~{3,})")
_STATEMENT = re.compile(r"(?i)\s*create\b")
_SIZE = r"(?:\s*\([\d, ]+\))?"


@dataclass(frozen=True)
class Mend:
    """What is to be done at a line.

    swap: *old* becomes *new*, behind *near* if that stands before it. drop: what says *old* goes.
    column: *new* of *type* is listed behind *near*, the last of those that are. append: *new* goes to the end.
    Where a swap does not help, what says *old* goes. *line* is where, if not at the finding's own.
    """

    kind: Kind
    old: str = ""
    new: str = ""
    near: str = ""
    type: str = ""
    line: int | None = None


@dataclass(frozen=True)
class Change:
    """The lines from *first* up to *last* (counted from 0) become *lines*; further ones, if any, change too."""

    first: int
    last: int
    lines: tuple[str, ...] = ()
    others: tuple["Change", ...] = field(default=())

    def made(self, lines: Sequence[str]) -> list[str]:
        """*lines* with the change made."""
        changed = list(lines)
        for each in sorted((self, *self.others), key=lambda change: -change.first):
            changed[each.first : each.last] = each.lines
        return changed


def changes(lines: Sequence[str], line: int | None, mend: Mend) -> Iterator[Change]:
    """The changes that may mend *line* (counted from 1), the likeliest first."""
    at = (mend.line or line or 1) - 1
    if mend.kind == "append":
        yield from _append(lines, mend.new)
    elif not 0 <= at < len(lines):
        return
    elif mend.kind == "column":
        yield from _listed(lines, at, mend)
    else:
        if mend.kind == "swap":
            yield from _swapped(lines, at, mend)
        if mend.kind == "drop" or (mend.kind == "swap" and mend.near == mend.old):
            yield from _dropped(lines, at, mend.old)


def _swapped(lines: Sequence[str], at: int, mend: Mend) -> Iterator[Change]:
    """*old* replaced, at the likeliest place first: in its line, else further down in the same paragraph."""
    while at < len(lines) and lines[at].strip():
        text = lines[at]
        found = [each.span() for each in re.finditer(rf"(?<!\w){re.escape(mend.old)}(?!\w){_SIZE}", text, re.I)]
        beside = re.search(rf"(?<!\w){re.escape(mend.near)}(?!\w)", text, re.I) if mend.near else None
        behind = [span for span in found if beside is not None and span[0] >= beside.end()]
        for start, end in dict.fromkeys([*behind, *found]):
            yield Change(at, at + 1, (text[:start] + mend.new + text[end:],))
        yield from _each_swapped(text, at, mend)
        at += 1


def _each_swapped(text: str, at: int, mend: Mend) -> Iterator[Change]:
    """Several names replaced one by one: (a, b) by (c, d), each in its own quotes."""
    old, new = mend.old.split(", "), mend.new.split(", ")
    if len(old) < 2 and len(new) < 2:
        return
    quoted = r"[`*]*,?\s*(?:(?:and|en)\s+)?[`*]*".join(map(re.escape, old))
    form = "`, `" if re.search(rf"`{re.escape(old[0])}`", text) else ", "
    changed = re.sub(rf"(?<!\w){quoted}(?!\w)", lambda _: form.join(new), text, count=1, flags=re.I)
    if changed != text:
        yield Change(at, at + 1, (changed,))


def _dropped(lines: Sequence[str], at: int, name: str) -> Iterator[Change]:
    """What says *name* taken out: a row, an item, a line of code, a section; else struck out."""
    text = lines[at]
    fence = _fence_of(lines, at)
    if fence is not None:
        yield from _code_dropped(lines, at, name, fence)
        return
    if f"({name}" in text or f"<{name}" in text:
        yield from _unlinked(text, at, name)
    yield from _unlisted(lines, at, name)
    if _ROW.match(text):
        yield Change(at, at + 1)
    item = _ITEM.match(text)
    if item:
        yield Change(at, _item_end(lines, at, len(item["indent"])))
    heading = _HEADING.match(text)
    if heading:
        yield Change(at, _section_end(lines, at, len(heading[1])))
    struck = re.sub(rf"(?<!~)`[^`]*(?<!\w){re.escape(name)}(?!\w)[^`]*`", r"~~\g<0>~~", text, count=1, flags=re.I)
    if struck != text:
        yield Change(at, at + 1, (struck,))


def _unlinked(text: str, at: int, target: str) -> Iterator[Change]:
    """The words of a link without it."""
    plain = re.sub(rf"!?\[([^\]]*)\]\(\s*<?{re.escape(target)}>?[^)]*\)", r"\1", text)
    if plain != text:
        yield Change(at, at + 1, (plain,))


def _unlisted(lines: Sequence[str], at: int, name: str) -> Iterator[Change]:
    """One name less in a line of several, such as "Columns: `a`, `b`"."""
    quoted = rf"[`*]*{re.escape(name)}[`*]*(?:\s+[A-Z]+)?"
    for pattern in (rf",\s*{quoted}(?=\s*[,.;)|]|\s*$|\s+(?:and|en)\s)", rf"(?<=[:(|\s]){quoted}\s*,\s*"):
        shorter = re.sub(pattern, "", lines[at], count=1, flags=re.I)
        if shorter != lines[at]:
            yield Change(at, at + 1, (shorter,))


def _code_dropped(lines: Sequence[str], at: int, name: str, fence: tuple[int, int]) -> Iterator[Change]:
    text, end = lines[at], fence[1]
    if re.match(rf'\s*"?{re.escape(name)}"?[^{{]*\{{', text, re.I):  # an entity of a diagram, and its relations
        close = next((number for number in range(at, end) if lines[number].strip() == "}"), at)
        relations = (
            number
            for number in range(*fence)
            if not at <= number <= close
            and re.search(
                rf"(?<!\w){re.escape(name)}(?!\w)[^:]*--|--[^:]*(?<!\w){re.escape(name)}(?!\w)", lines[number]
            )
        )
        yield Change(at, close + 1, others=tuple(Change(number, number + 1) for number in relations))
    if _STATEMENT.match(text):
        close = next((number for number in range(at, end) if lines[number].rstrip().endswith(";")), end - 1)
        if at == fence[0] and close == end - 1:
            yield Change(fence[0] - 1, end + 1)  # the fence would be empty
        yield Change(at, close + 1)
    inside = re.sub(
        rf",\s*[\"`\[]?{re.escape(name)}\b[^,()]*(?:\([^()]*\)[^,()]*)*(?=[,)])", "", text, count=1, flags=re.I
    )
    if inside != text:
        yield Change(at, at + 1, (inside,))
    yield Change(at, at + 1)
    before = lines[at - 1]
    if before.rstrip().endswith(","):
        shorter = re.sub(r",(\s*)$", r"\1", before)
        yield Change(at - 1, at + 1, (shorter,))
        closed = re.sub(rf"^(\s*)[\"`\[]?{re.escape(name)}\b[^,()]*(?=\))", r"\1", text, count=1, flags=re.I)
        yield Change(at - 1, at + 1, (shorter, closed))


def _listed(lines: Sequence[str], at: int, mend: Mend) -> Iterator[Change]:
    """A column more behind the last of those that are listed, in their form."""
    text, kind = lines[at], mend.type or "ANY"
    end = "\r\n" if text.endswith("\r\n") else "\n"
    bare = text.rstrip("\r\n")
    fence = _fence_of(lines, at)
    if fence is not None:
        indent = bare[: len(bare) - len(bare.lstrip())]
        if re.search(r"\)\s*;?\s*$", bare) and _STATEMENT.match(bare):
            yield Change(at, at + 1, (re.sub(r"\)(\s*;?\s*)$", rf", {mend.new} {kind})\1", bare) + end,))
        comma = bare.partition("--")[0].rstrip().endswith(",")
        code, dashes, comment = bare.partition("--")
        first = bare if comma else f"{code.rstrip()},{' ' + dashes + comment if dashes else ''}"
        yield Change(at, at + 1, (first + end, f"{indent}{mend.new} {kind}{',' if comma else ''}{end}"))
        yield Change(at + 1, at + 1, (f"{indent}{kind.replace(' ', '_')} {mend.new}{end}",))
    elif _ROW.match(bare):
        yield Change(at, at + 1, (bare + end, _row_like(bare, mend) + end))
    elif item := _ITEM.match(bare):
        form = "`{}`" if f"`{mend.near}" in bare else "**{}**" if f"**{mend.near}" in bare else "{}"
        below = _item_end(lines, at, len(item["indent"]))
        last = lines[below - 1].rstrip("\r\n") + end
        yield Change(below - 1, below, (last, f"{item[0]}{form.format(mend.new)} {kind}{end}"))
    else:
        form = "`{}`" if "`" in bare else "{}"
        yield Change(at, at + 1, (re.sub(r"\s*([.;]?)\s*$", rf", {form.format(mend.new)}\1", bare, count=1) + end,))


def _row_like(row: str, mend: Mend) -> str:
    """A row of a table with the name and the type where *row* has those of the column before it."""
    cells = re.split(r"(?<!\\)\|", row)
    named = False
    for number, cell in enumerate(cells):
        if not named and re.search(rf"(?<!\w){re.escape(mend.near)}(?!\w)", cell):
            cells[number] = f" `{mend.new}` " if "`" in cell else f" {mend.new} "
            named = True
        elif named and mend.old and re.search(rf"(?<!\w){re.escape(mend.old)}(?!\w)", cell):
            cells[number] = f" {mend.type} "
            mend = Mend("column", "", mend.new, mend.near, mend.type)
        elif 0 < number < len(cells) - 1 or cell.strip():
            cells[number] = " "
    return "|".join(cells)


def _append(lines: Sequence[str], text: str) -> Iterator[Change]:
    last = lines[-1] if lines else "\n"
    end = "\r\n" if last.endswith("\r\n") else "\n"
    added = [f"{line}{end}" for line in text.split("\n")]
    whole = last if last.endswith("\n") else last + end
    count = max(len(lines) - 1, 0)
    yield Change(count, len(lines), (*([whole] if lines else []), *([end] if whole.strip() else []), *added))
    yield Change(
        count, len(lines), (*([whole] if lines else []), end, *(each.replace("## ", "# ", 1) for each in added))
    )


def _fence_of(lines: Sequence[str], at: int) -> tuple[int, int] | None:
    """The lines of code around *at*, from the first up to the one that closes them; None outside of code."""
    opened: tuple[int, str] | None = None
    for number, line in enumerate(lines):
        mark = _FENCE.match(line)
        if mark and opened is None:
            opened = number, mark[1]
        elif mark and opened is not None and mark[1].startswith(opened[1]) and not line.strip(" \r\n`~"):
            if opened[0] < at < number:
                return opened[0] + 1, number
            opened = None
    return (opened[0] + 1, len(lines)) if opened is not None and at > opened[0] else None


def _item_end(lines: Sequence[str], at: int, indent: int) -> int:
    """The line after the item at *at* and what belongs to it."""
    end = at + 1
    while end < len(lines) and lines[end].strip():
        inner = len(lines[end]) - len(lines[end].lstrip())
        if inner <= indent:
            break
        end += 1
    return end


def _section_end(lines: Sequence[str], at: int, level: int) -> int:
    for number in range(at + 1, len(lines)):
        heading = _HEADING.match(lines[number])
        if heading and len(heading[1]) <= level and _fence_of(lines, number) is None:
            return number
    return len(lines)
