"""Where each key of a configuration stands: its path of keys, and its line."""

import re
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Path = tuple[str | int, ...]
# A string, a sign of structure, or a bare word; the text has no comments any more.
_JSON = re.compile(r'"((?:[^"\\]|\\.)*)"|([{}\[\]:,])|[^\s{}\[\]:,"]+', re.S)
_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_SPACE = re.compile(r"[ \t]*")
_KEY = re.compile(r"""[ \t]*(?:"((?:[^"\\\n]|\\.)*)"|'([^'\n]*)'|([A-Za-z0-9_-]+))[ \t]*(\.?)""")
_STRING = re.compile(
    r'"""(?:[^\\]|\\.)*?"""(?:"{1,2}(?!"))?|\'\'\'.*?\'\'\'(?:\'{1,2}(?!\'))?|"(?:[^"\\\n]|\\.)*"|\'[^\'\n]*\'', re.S
)
_BARE = re.compile(r"[^\s,\]}#]+(?: \d\d:[^\s,\]}#]*)?")


@dataclass
class Places:
    """The line of each key path, from 1, and the paths of keys that one object holds twice."""

    lines: dict[Path, int] = field(default_factory=dict)
    twice: list[tuple[Path, int]] = field(default_factory=list)

    def line(self, path: Path) -> int | None:
        """Where *path* stands, or what is nearest above it; None where that is the whole file."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path) if path else None


def json_places(text: str) -> Places:
    """The places in *text*, which is JSON that parses."""
    starts = _starts(text)
    places = Places()
    # For each open bracket: the path, and the key or index that comes next; None: a key is waited for.
    open_: list[tuple[Path, str | int | None]] = [((), 0)]
    for match in _JSON.finditer(text):
        sign = match[2]
        where, at = open_[-1]
        if sign in ("}", "]"):
            open_.pop()
        elif sign == ",":
            open_[-1] = (where, at + 1 if isinstance(at, int) else None)
        elif at is None:
            name = _unescaped(match[1] or "")
            open_[-1] = (where, name)
            line = bisect_right(starts, match.start())
            if (*where, name) in places.lines:
                places.twice.append(((*where, name), line))
            places.lines[(*where, name)] = line
        elif sign != ":":
            path = (*where, at) if len(open_) > 1 else ()
            places.lines.setdefault(path, bisect_right(starts, match.start()))
            if sign == "{":
                open_.append((path, None))
            elif sign == "[":
                open_.append((path, 0))
    return places


def toml_places(text: str) -> Places:
    """The places in *text*, which is TOML that parses."""
    reading = _Toml(text.replace("\r\n", "\n"))
    reading.read()
    return reading.places


class _Toml:
    """One walk over a TOML file."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.starts = _starts(text)
        self.at = 0
        self.places = Places()
        self.tables: dict[Path, int] = {}

    def read(self) -> None:
        table: Path = ()
        while self._passed(_BLANK) < len(self.text):
            start = self.at
            if self.text[start] != "[":
                self._pair(table)
                continue
            several = self.text.startswith("[[", start)
            self.at += 2 if several else 1
            table = self._table(self._keys(), several=several)
            self._mark(table, start)
            self.at = (self.text.find("\n", self.at) + 1) or len(self.text)

    def _table(self, keys: list[str], *, several: bool) -> Path:
        """The path of a header; a list of tables is at its last one."""
        path: Path = ()
        for key in keys[:-1]:
            path = (*path, key)
            path = (*path, self.tables[path]) if path in self.tables else path
        path = (*path, keys[-1])
        if not several:
            return path
        self.tables[path] = self.tables.get(path, -1) + 1
        return (*path, self.tables[path])

    def _pair(self, table: Path) -> None:
        start = self._passed(_SPACE)
        path = (*table, *self._keys())
        for depth in range(len(table) + 1, len(path) + 1):
            self._mark(path[:depth], start)
        self.at = self.text.index("=", self.at) + 1
        self._value(path)

    def _value(self, path: Path) -> None:
        start = self._passed(_SPACE)
        self._mark(path, start)
        if self.text[start] not in "[{":
            match = _STRING.match(self.text, start) or _BARE.match(self.text, start)
            self.at = match.end() if match else len(self.text)
            return
        closing = "]" if self.text[start] == "[" else "}"
        self.at += 1
        index = 0
        while self.text[self._passed(_BLANK)] != closing:
            if self.text[self.at] == ",":
                self.at += 1
                index += 1
            elif closing == "]":
                self._value((*path, index))
            else:
                self._pair(path)
        self.at += 1

    def _keys(self) -> list[str]:
        """The dotted key that stands here."""
        keys = []
        while match := _KEY.match(self.text, self.at):
            quoted, literal, bare, more = match.groups()
            keys.append(_unescaped(quoted) if quoted is not None else literal if literal is not None else bare)
            self.at = match.end()
            if not more:
                break
        return keys

    def _passed(self, what: re.Pattern[str]) -> int:
        match = what.match(self.text, self.at)
        self.at = match.end() if match else self.at
        return self.at

    def _mark(self, path: Path, start: int) -> None:
        for depth in range(1, len(path) + 1):
            self.places.lines.setdefault(path[:depth], bisect_right(self.starts, start))


def value_at(values: Any, path: Path) -> Any:
    """What stands at *path* in *values*; None where nothing does."""
    for key in path:
        if isinstance(values, Mapping):
            values = values.get(key)
        elif isinstance(values, list) and isinstance(key, int) and key < len(values):
            values = values[key]
        else:
            return None
    return values


def _starts(text: str) -> list[int]:
    return [0, *(match.end() for match in re.finditer("\n", text))]


def _unescaped(text: str) -> str:
    """A key without its escapes."""
    known = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}

    def plain(match: re.Match[str]) -> str:
        hexadecimal = match[1] or match[2]
        return chr(int(hexadecimal, 16)) if hexadecimal else known.get(match[3], match[3])

    if "\\" not in text:
        return text
    # Two halves of a surrogate pair are one character in JSON.
    pairs = re.sub(r"\\u([0-9a-fA-F]{4})|\\U([0-9a-fA-F]{8})|\\(.)", plain, text, flags=re.S)
    return pairs.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
