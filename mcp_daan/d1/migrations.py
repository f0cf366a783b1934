"""Migrations as wrangler sees them: files in a folder, names in a table."""

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import apsw

from mcp_daan.d1.databases import Database
from mcp_daan.d1.masking.catalog import quoted
from mcp_daan.d1.reading import reading
from mcp_daan.errors import InvalidArguments

# What wrangler suggests to those who keep each migration in a folder, as drizzle does.
FOLDERS = "*/migration.sql"
# Larger numbers are dates: nothing is missing between two of them.
LARGEST_COUNTED = 99_999
_GLOB = re.compile(r"\*\*/|\*\*|\*|\?|\[!?[^\]/]+\]|\{[^{}]*\}|.", re.S)
# Groups such as +(a|b), braces in braces or with a range, classes such as [[:digit:]], and escapes.
_UNREAD = re.compile(r"[@!+?*]\(|\{[^}]*\{|\{[^{},]*\.\.[^{},]*\}|\[\[:|\\")
# A glob passes over hidden names, wherever a wildcard begins a part of the path.
_SHOWN = r"(?!\.)"


def migration_files(folder: Path, pattern: str = "*.sql") -> list[str]:
    """The migrations in *folder* that match *pattern*, as wrangler names them: relative to it, in wrangler's order.

    That order is by the number that each part of the path begins with, unnumbered parts last, then by name.
    Raises InvalidArguments for a pattern in a form that is not read here.
    """
    if _UNREAD.search(pattern):
        raise InvalidArguments(
            "`migrations_pattern` is a glob of a kind that is not read here.",
            advice="Write it with *, **, ?, [a-z] and one level of {a,b}, as in `*/migration.sql`.",
        )
    wanted = re.compile(rf"(?:{_translated(pattern)})\Z", re.S)
    depth = len(pattern.split("/")) if "**" not in pattern else None
    return sorted((name for name in _files(folder, "", depth) if wanted.match(name)), key=order)


def applied_migrations(database: Database, *, seconds: float) -> list[str] | None:
    """The names in the database's migrations table in order of application; None without the table or the file."""
    if database.path is None or not database.exists:
        return None
    with reading(database.path, seconds=seconds) as connection:
        table = database.migrations_table
        if not {"id", "name"} <= _stored(connection, table):
            return None
        return [str(name) for (name,) in connection.execute(f"SELECT name FROM {quoted(table)} ORDER BY id")]


def _stored(connection: apsw.Connection, table: str) -> set[str]:
    """The columns of *table* that are stored; none of a view, whose own statement could take any time."""
    kinds = connection.execute("SELECT type FROM pragma_table_list(?) WHERE schema = 'main'", (table,)).fetchall()
    if kinds != [("table",)]:
        return set()
    return {
        str(name) for (name,) in connection.execute("SELECT name FROM pragma_table_xinfo(?) WHERE hidden = 0", (table,))
    }


def number(name: str) -> int | None:
    """The number of a migration: what the first part of its name begins with."""
    found = re.match(r"\s*([+-]?\d+)", name.split("/")[0].split("_")[0])
    return int(found[1]) if found else None


def order(name: str) -> list[tuple[bool, int, bytes]]:
    """What wrangler sorts by."""
    return [_place(part) for part in name.split("/")]


def duplicates(names: Sequence[str]) -> list[list[str]]:
    """The migrations that share a number; files of one folder do not count."""
    folders: dict[int, dict[str, str]] = {}
    for name in names:
        if (found := number(name)) is not None:
            folders.setdefault(found, {}).setdefault(name.split("/")[0], name)
    return [list(each.values()) for each in folders.values() if len(each) > 1]


def gaps(names: Sequence[str]) -> list[int]:
    """The numbers that are missing; none where more are missing than there are, as in steps of ten or in dates."""
    there = {found for name in names if (found := number(name)) is not None}
    if not there or max(there) > LARGEST_COUNTED or max(there) - min(there) + 1 > 2 * len(there):
        return []
    return sorted(set(range(min(there), max(there))) - there)


def out_of_order(files: Sequence[str], applied: Sequence[str]) -> list[str]:
    """The pending files that wrangler will apply after one that stands behind them."""
    done = [place for place, name in enumerate(files) if name in applied]
    return [name for name in files[: max(done, default=0)] if name not in applied]


def _place(part: str) -> tuple[bool, int, bytes]:
    found = number(part)
    # JavaScript compares strings by their UTF-16 units.
    return found is None, found or 0, part.encode("utf-16-be", "surrogatepass")


def _files(folder: Path, prefix: str, depth: int | None) -> Iterator[str]:
    """The regular files below *folder*, *depth* levels down; links are not followed."""
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError:  # wrangler passes over what it may not list, too
        return
    for entry in entries:
        if entry.is_file(follow_symlinks=False):
            yield prefix + entry.name
        elif entry.is_dir(follow_symlinks=False) and depth != 1:
            yield from _files(Path(entry.path), f"{prefix}{entry.name}/", None if depth is None else depth - 1)


def _translated(pattern: str) -> str:
    """*pattern*, a glob, as a regular expression."""
    parts = []
    for match in _GLOB.finditer(pattern):
        word, first = match.group(), match.start() == 0 or pattern[match.start() - 1] == "/"
        guard = _SHOWN if first and word[0] in "*?[" else ""
        if word == "**/":
            parts.append(r"(?:(?!\.)[^/]+/)*" + _SHOWN)
        elif word in ("*", "**"):
            parts.append(guard + "[^/]*")
        elif word == "?":
            parts.append(guard + "[^/]")
        elif word[0] == "[" and len(word) > 1:
            parts.append(guard + "[" + word[1:-1].replace("\\", "\\\\").replace("!", "^", word[1] == "!") + "]")
        elif word[0] == "{" and "," in word:
            parts.append("(?:" + "|".join(_translated(each) for each in word[1:-1].split(",")) + ")")
        else:
            parts.append(re.escape(word))
    return "".join(parts)
