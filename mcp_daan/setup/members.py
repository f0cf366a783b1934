"""One member of a JSON file put in, replaced or taken out; comments, order and layout of the rest stay as they are."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from mcp_daan.errors import InvalidArguments
from mcp_daan.wrangler import strip_comments

_TOKEN = re.compile(r'"(?:[^"\\\n]|\\.)*"|//[^\n]*|/\*.*?\*/|[{}\[\]:,]|[^\s{}\[\]:,"/]+', re.S)
# What may stand behind a value on its line, where the line ends there.
_REST = re.compile(r"[ \t]*,?[ \t]*(?://[^\n]*|/\*[^\n]*?\*/)?[ \t]*(?=\n)")
_INDENT = "  "


@dataclass(frozen=True)
class _Member:
    """Where a member stands: from its key's quote to the end of its value."""

    key: str
    start: int
    value: int
    end: int


def values_of(text: str, name: str) -> dict[str, Any]:
    """The object in *text*, JSON with or without comments; InvalidArguments that names the file otherwise."""
    try:
        values = json.loads(strip_comments(text)) if text.strip() else {}
    except (ValueError, RecursionError):
        values = None
    if not isinstance(values, dict):
        raise InvalidArguments(
            f"{name} is not valid JSON, so nothing was written.",
            advice=f"Mend {name}, or move it away; then run again.",
        )
    return values


def put(text: str, section: str, name: str, entry: dict[str, Any]) -> str:
    """*text* with `{section: {name: entry}}` in it; raises InvalidArguments when the section is no object."""
    if not text.strip():
        text = "{}\n"
    outer = text.index("{", _lead(text))
    found = _one(text, outer, section)
    if found is None:
        return _added(text, outer, section, {name: entry})
    _must_be_object(text, found, section)
    member = _one(text, found.value, name)
    if member is None:
        return _added(text, found.value, name, entry)
    return text[: member.value] + _written(entry, _indent_at(text, member.start)) + text[member.end :]


def take_out(text: str, section: str, name: str) -> str:
    """*text* without the member *name* of *section*; unchanged where there is none."""
    if not text.strip():
        return text
    found = _one(text, text.index("{", _lead(text)), section)
    if found is None:
        return text
    _must_be_object(text, found, section)
    member = _one(text, found.value, name)
    if member is None:
        return text
    start, end = member.start, member.end
    after = re.compile(r"[ \t]*,").match(text, end)
    if after:
        end = after.end()
    else:
        comma = _comma_before(text, found.value, start)
        if comma is not None:
            text = text[:comma] + text[comma + 1 :]
            start, end = start - 1, end - 1
    # The line goes with the member where nothing else stands on it.
    line = text.rfind("\n", 0, start) + 1
    rest = re.compile(r"[ \t]*\r?\n").match(text, end)
    if rest and not text[line:start].strip():
        start, end = line, rest.end()
    return text[:start] + text[end:]


def _tokens(text: str, start: int) -> Iterator[re.Match[str]]:
    return (token for token in _TOKEN.finditer(text, start) if not token.group().startswith(("//", "/*")))


def _lead(text: str) -> int:
    """Where the first token stands, behind comments."""
    return next(_tokens(text, 0)).start()


def _members(text: str, brace: int) -> Iterator[_Member]:
    """The members of the object that opens at *brace*."""
    depth, key, start, value = 0, "", -1, -1
    last = brace
    for token in _tokens(text, brace):
        mark = token.group()
        if mark in "{[":
            depth += 1
            if depth == 2 and value < 0 and start >= 0:
                value = token.start()
        elif mark in "]}" or (mark == "," and depth == 1):
            if start >= 0 and depth == 1:
                yield _Member(key, start, value, last)
                start = value = -1
            depth -= mark != ","
            if depth == 0:
                return
        elif depth == 1 and mark != ":":
            if start < 0:
                key, start = json.loads(mark), token.start()
            elif value < 0:
                value = token.start()
        last = token.end()


def _one(text: str, brace: int, key: str) -> _Member | None:
    # Of a key that stands twice every reader takes the last.
    found = [member for member in _members(text, brace) if member.key == key]
    return found[-1] if found else None


def _must_be_object(text: str, member: _Member, section: str) -> None:
    if text[member.value] != "{":
        raise InvalidArguments(
            f"`{section}` is not an object, so nothing was written.", advice=f"Make `{section}` an object: {{}}."
        )


def _added(text: str, brace: int, key: str, value: Any) -> str:
    """*text* with one member more at the end of the object that opens at *brace*."""
    members = list(_members(text, brace))
    if not members:
        close = _close(text, brace)
        outer = _indent_at(text, brace)
        inside = text[brace + 1 : close].rstrip()
        member = f"{json.dumps(key)}: {_written(value, outer + _INDENT)}"
        return f"{text[: brace + 1]}{inside}\n{outer}{_INDENT}{member}\n{outer}{text[close:]}"
    end = members[-1].end
    comma = next(_tokens(text, end)).group() == ","  # a trailing one, as JSONC allows: it stays one
    if "\n" not in text[brace : members[-1].start]:
        return f"{text[:end]}, {json.dumps(key)}: {json.dumps(value)}{text[end:]}"
    indent = _indent_at(text, members[-1].start)
    member = f"\n{indent}{json.dumps(key)}: {_written(value, indent)}{',' if comma else ''}"
    rest = _REST.match(text, end)
    if rest is None:
        return f"{text[:end]},{member.removesuffix(',')}{text[end:]}"
    # A comment behind the last member stays behind it.
    return f"{text[:end]}{'' if comma else ','}{rest.group()}{member}{text[rest.end() :]}"


def _close(text: str, brace: int) -> int:
    depth = 0
    for token in _tokens(text, brace):
        depth += (token.group() in "{[") - (token.group() in "}]")
        if depth == 0:
            return token.start()
    raise AssertionError("the text was parsed before")


def _comma_before(text: str, brace: int, start: int) -> int | None:
    last = None
    for token in _tokens(text, brace):
        if token.start() >= start:
            break
        last = token
    return last.start() if last is not None and last.group() == "," else None


def _indent_at(text: str, place: int) -> str:
    line = text[text.rfind("\n", 0, place) + 1 : place]
    return line[: len(line) - len(line.lstrip())]


def _written(value: Any, indent: str) -> str:
    return json.dumps(value, indent=len(_INDENT), ensure_ascii=False).replace("\n", f"\n{indent}")
