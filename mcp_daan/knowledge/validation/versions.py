"""VERSION.md: the version and date that it states, held against tags, packages and migrations."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from datetime import date as Day
from pathlib import Path

from mcp_daan.knowledge import repository
from mcp_daan.knowledge.dates import written_dates
from mcp_daan.knowledge.validation.findings import Finding, finding
from mcp_daan.knowledge.validation.mending import Mend
from mcp_daan.knowledge.validation.passages import parse_document
from mcp_daan.wrangler import WranglerConfig

_NUMBER = re.compile(
    r"(?<![\w.-])v?(?P<number>\d{1,5}\.\d{1,5}(?:\.\d{1,5})?(?:-[A-Za-z][\w.]*)?)(?!\.?\d)(?![\w%]|-\d)"
)
_WHOLE = re.compile(r"(?i)\b(?:version|versie)\W{1,6}v?(?P<number>\d{1,5})\b(?![.\d-])")
_TAG = re.compile(r"(?:v|release[-/]|rel-)?(?P<number>\d+\.\d+(?:\.\d+)?)$")
_MIGRATION_NAME = re.compile(r"\b(?P<number>\d{3,})_\w+")
_MIGRATION_NUMBER = re.compile(r"(?i)\bmigrati(?:on|e)s?\b[^\d\n]{0,24}(?P<number>\d{3,5})\b")
_STAMP = re.compile(r"(?P<y>20\d\d)(?P<m>\d\d)(?P<d>\d\d)(?:\d{4,6})?(?=\D|$)")


@dataclass(frozen=True)
class Stated:
    """What VERSION.md says, and where; `date` is the newest that it states, `changed` that of the file."""

    text: str
    path: str
    version: str | None
    version_line: int | None
    date: Day | None
    date_line: int | None
    changed: Day

    @property
    def day(self) -> Day:
        """The date that VERSION.md is held to."""
        return self.date or self.changed


@dataclass(frozen=True)
class Newest:
    """The migrations of a database in order; `changed` is the newest's date by git, if it tracks the file."""

    database: str
    files: tuple[str, ...]
    changed: datetime | None

    @property
    def file(self) -> str:
        """The newest of them."""
        return self.files[-1]


def read_stated(text: str, path: str, changed: datetime, today: Day) -> Stated:
    """What VERSION.md states; dates after *today* are plans and do not count."""
    found = _NUMBER.search(_without_dates(text)) or _WHOLE.search(text)
    days = [(day, at) for day, at in written_dates(text) if day <= today]
    newest = max(days, key=lambda found: (found[0], -found[1]), default=None)
    return Stated(
        text=text,
        path=path,
        version=found["number"] if found else None,
        version_line=_line(text, found.start()) if found else None,
        date=newest[0] if newest else None,
        date_line=_line(text, newest[1]) if newest else None,
        changed=changed.astimezone(UTC).date(),
    )


def behind(
    stated: Stated, root: Path, apps: Sequence[WranglerConfig], migrations: Sequence[Newest]
) -> Iterator[Finding]:
    """Where VERSION.md is older than the newest tag, an app's package.json or the newest migration."""
    yield from _behind_tag(stated, newest_tag(root))
    for app in apps:
        yield from _behind_package(stated, app)
    for newest in migrations:
        yield from _behind_migration(stated, newest, alone=len(migrations) == 1)


def newest_tag(root: Path) -> tuple[str, Day] | None:
    """The highest tag that is a version, and its day; None without git or tags.

    Raises Unavailable when git fails.
    """
    if not repository.is_repository(root):
        return None
    tags = []
    for line in repository.lines(root, "for-each-ref", "--format=%(creatordate:unix) %(refname:short)", "refs/tags"):
        seconds, _, name = line.partition(" ")
        found = _TAG.match(name)
        if found and seconds.isdigit():
            tags.append((_order(found["number"]), name, datetime.fromtimestamp(int(seconds), UTC).date()))
    return max(tags)[1:] if tags else None


def _behind_tag(stated: Stated, tag: tuple[str, Day] | None) -> Iterator[Finding]:
    found = _TAG.match(tag[0]) if tag else None
    if tag is None or found is None:
        return
    if stated.version is not None and _order(stated.version) < _order(found["number"]):
        what = f"states {stated.version}, but the newest tag is {tag[0]}"
        yield _finding(stated, what, stated.version_line, stated.version, found["number"])
    elif stated.version is None and stated.day < tag[1]:
        what = f"is of {stated.day}, but the tag {tag[0]} of {tag[1]} is newer"
        yield _finding(stated, what, stated.date_line, stated.day.isoformat(), tag[1].isoformat())


def _behind_package(stated: Stated, app: WranglerConfig) -> Iterator[Finding]:
    values = _package(app.path.parent)
    number = values.get("version")
    if not isinstance(number, str) or not re.match(r"\d+\.\d+", number):
        return
    names = {app.name, app.path.parent.name, values.get("name")}
    version, line = _version_of({name for name in names if isinstance(name, str)}, stated)
    if version is not None and _order(version) < _order(number):
        what = f"states {version}, but package.json of {app.path.parent.name} says {number}"
        yield _finding(stated, what, line, version, number)


def _behind_migration(stated: Stated, newest: Newest, *, alone: bool) -> Iterator[Finding]:
    number = re.match(r"\d+", newest.file)
    named = list(_named_migrations(stated, newest, alone=alone)) if number else []
    if number and named:
        last, line = max(named, key=lambda found: (found[0], -found[1]))
        if last < int(number[0]):
            what = f"names migration {last:0{len(number[0])}}, but the newest of {newest.database} is {newest.file}"
            stem = newest.file.removesuffix(".sql")
            told = next(
                (each[0] for each in _MIGRATION_NAME.finditer(stated.text) if int(each["number"]) == last), None
            )
            said = told or f"{last:0{len(number[0])}}"
            yield _finding(stated, what, line, said, stem if told else number[0])
        return
    made = _made(newest)
    if made is not None and stated.day < made:
        what = f"is of {stated.day}, but {newest.file} of {newest.database} is of {made}"
        yield _finding(stated, what, stated.date_line, stated.day.isoformat(), made.isoformat())


def _named_migrations(stated: Stated, newest: Newest, *, alone: bool) -> Iterator[tuple[int, int]]:
    """(number, line) of the migrations that VERSION.md names outside its history.

    A file's name is known by its folder; a bare number counts where there is only one folder.
    """
    for prose in (prose for block in parse_document(stated.text).today for prose in block.texts):
        found = [each for each in _MIGRATION_NAME.finditer(prose.source) if _file_named(each.group(), newest)]
        found += _MIGRATION_NUMBER.finditer(prose.source) if alone else []
        for each in found:
            yield int(each["number"]), prose.line + prose.source.count("\n", 0, each.start())


def _file_named(name: str, newest: Newest) -> bool:
    return any(file.removesuffix(".sql") == name for file in newest.files)


def _made(newest: Newest) -> Day | None:
    """When the newest migration was made: by git, else by a date in its name."""
    if newest.changed is not None:
        return newest.changed.date()
    stamp = _STAMP.match(newest.file)
    days = [day for day, _ in written_dates("-".join(stamp.group("y", "m", "d")))] if stamp else []
    return days[0] if days else None


def _package(folder: Path) -> Mapping[str, object]:
    try:
        values = json.loads((folder / "package.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):  # absent, or not JSON: it states no version
        return {}
    return values if isinstance(values, dict) else {}


def _version_of(names: set[str], stated: Stated) -> tuple[str | None, int | None]:
    """The version that VERSION.md states for the app called by one of *names*, else its own."""
    for number, line in enumerate(_without_dates(stated.text).split("\n"), 1):
        if any(re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", line) for name in names):
            found = _NUMBER.search(line)
            if found:
                return found["number"], number
    return stated.version, stated.version_line


def _without_dates(text: str) -> str:
    """*text* with its dates blanked out: 22.11.2026 is no version."""
    return re.sub(r"(?<![\d.])\d{1,2}\.\d{1,2}\.\d{4}(?![\d.]*\d)", lambda found: " " * len(found.group()), text)


def _order(version: str) -> tuple[tuple[int, ...], bool]:
    """What versions are compared by; 1.2 is 1.2.0, and a pre-release comes before its release."""
    number, _, early = version.partition("-")
    parts = [int(part) for part in number.split("+")[0].split(".") if part.isdigit()]
    return tuple([*parts, 0, 0, 0][:4]), not early


def _line(text: str, at: int) -> int:
    return text.count("\n", 0, at) + 1


def _finding(stated: Stated, what: str, line: int | None, found: str, expected: str) -> Finding:
    return finding(
        "version_behind",
        stated.path,
        f"{stated.path} {what}.",
        line=line,
        found=found,
        expected=expected,
        mend=Mend("swap", found, expected) if line is not None else None,
    )
