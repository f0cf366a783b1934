"""Commits of lessons, made beside the person's own index and work tree."""

import os
import re
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mcp_daan.knowledge.lessons.lessons import FILE_BYTES, NAME, Lesson, assembled, parse
from mcp_daan.knowledge.lessons.view import rendered
from mcp_daan.knowledge.objects import texts
from mcp_daan.knowledge.repository import NO_PROGRAMS, git, lines
from mcp_daan.knowledge.sharing.place import Place

# Where git knows no name, and where it knows no address.
NAMELESS = "mcp-daan"
ADDRESSLESS = "mcp-daan@localhost"
UNSENT = 1000
_TRAILER = "Lesson"
_FORM = "%x01%H%x1f%P%x1f%an%x1f%ae%x1f%at%x1f%(trailers:key=Lesson,valueonly)"
_HEADER = re.compile(rb"\x01([0-9a-f]{40,64})\x1f([0-9a-f ]*)\x1f([^\x1f]*)\x1f([^\x1f]*)\x1f(\d+)\x1f(.*)", re.S)
_VIEW_SUBJECT = "Bring LESSONS-LEARNED.md up to date"


@dataclass(frozen=True)
class Author:
    """Who wrote a lesson, and when in seconds; None is now."""

    name: str
    email: str
    seconds: int | None = None


@dataclass(frozen=True)
class Change:
    """A commit that is not sent yet; `own`: it adds lessons, at `paths` with these blobs, and nothing else."""

    commit: str
    parents: tuple[str, ...]
    author: Author
    own: bool
    paths: Mapping[str, str]


@dataclass(frozen=True)
class New:
    """A lesson file that is to be committed: its name, its blob, what it says, who wrote it."""

    name: str
    blob: str
    lesson: Lesson
    author: Author


def commit_of(place: Place, name: str) -> str | None:
    """The full hash of the commit that *name* stands for, if it does."""
    return next(iter(lines(place.top, "rev-parse", "--verify", "--quiet", f"{name}^{{commit}}", fine=(0, 1))), None)


def unsent(place: Place, since: str, until: str) -> list[Change]:
    """The commits of *until* that *since* lacks, oldest first."""
    options = ["-z", f"--format={_FORM}", "--raw", "--no-abbrev", "--no-renames", "--no-relative", *NO_PROGRAMS]
    order = ["--reverse", "--topo-order", f"--max-count={UNSENT}", "--full-history"]
    output = git(place.top, "log", *options, *order, f"{since}..{until}")
    found: list[Change] = []
    header: re.Match[bytes] | None = None
    changes: list[tuple[str, str, str]] = []
    change: tuple[str, str] | None = None
    for part in [*output.split(b"\0"), b"\x01"]:
        part = part.lstrip(b"\n") if change is None else part
        if change is not None:
            changes.append((*change, os.fsdecode(part)))
            change = None
        elif part.startswith(b"\x01"):
            if header is not None:
                found.append(_change(place, header, changes))
            header, changes = _HEADER.fullmatch(part), []
        elif part.startswith(b":"):
            words = part.decode("ascii", "replace").split(" ")
            change = (words[-1][:1], words[-2])
    return found


def _change(place: Place, header: re.Match[bytes], changes: Sequence[tuple[str, str, str]]) -> Change:
    commit, parents, name, email, seconds, trailers = (each.decode("utf-8", "replace") for each in header.groups())
    paths = {path: blob for _, blob, path in changes if path != place.view}
    lessons = all(
        kind == "A" and path.startswith(place.lessons) and NAME.fullmatch(path.removeprefix(place.lessons))
        for kind, _, path in changes
        if path != place.view
    )
    own = bool(changes) and lessons and len(parents.split()) == 1 and bool(trailers.strip())
    return Change(commit, tuple(parents.split()), Author(name, email, int(seconds)), own, paths)


def identity(place: Place) -> Author:
    """Who git says is at work here; a stated stand-in where it does not know."""
    values = []
    for variable, key in (("GIT_AUTHOR_NAME", "user.name"), ("GIT_AUTHOR_EMAIL", "user.email")):
        known = os.environ.get(variable) or next(iter(lines(place.top, "config", "--get", key, fine=(0, 1))), "")
        values.append(re.sub(r"[\x00-\x1f<>]", "", known).strip())
    return Author(values[0] or NAMELESS, values[1] or ADDRESSLESS)


def entries(place: Place, commit: str) -> dict[str, str]:
    """The lesson files of *commit*: blob by name."""
    found = {}
    for row in git(place.top, "ls-tree", "-z", "--full-tree", commit, "--", place.lessons).split(b"\0"):
        about, _, path = row.partition(b"\t")
        name = os.fsdecode(path).removeprefix(place.lessons)
        if about.startswith(b"100") and NAME.fullmatch(name):
            found[name] = about.split(b" ")[2].decode()
    return found


def blob_of(place: Place, commit: str, path: str) -> str | None:
    """The blob at *path* in *commit*, if a file stands there."""
    row = git(place.top, "ls-tree", "-z", "--full-tree", commit, "--", path).rstrip(b"\0")
    return row.split(b"\t")[0].split(b" ")[2].decode() if row.startswith(b"100") else None


def store(place: Place, contents: bytes) -> str:
    """Put *contents* among the objects as they are, and give their name."""
    return git(place.top, "hash-object", "-w", "--stdin", stdin=contents).decode().strip()


def read_new(place: Place, waiting: Mapping[str, tuple[str, Author]]) -> list[New]:
    """The lessons among the files that are *waiting*: blob and author by name."""
    said = dict(texts(place.top, [blob for blob, _ in waiting.values()]))
    found = []
    for name, (blob, author) in waiting.items():
        text = said.get(blob, "")
        lesson = parse(text, name) if len(text) <= FILE_BYTES else None
        if lesson is not None:
            found.append(New(name, blob, lesson, author))
    return found


class Builder:
    """Builds commits one on another in an index of its own."""

    def __init__(self, place: Place, start: str) -> None:
        self._place = place
        self.tip = start
        self._folder = tempfile.TemporaryDirectory(prefix="mcp-daan-")
        self._environment = {"GIT_INDEX_FILE": os.fspath(Path(self._folder.name, "index"))}
        self._git("read-tree", start)

    def __enter__(self) -> "Builder":
        return self

    def __exit__(self, *_: object) -> None:
        self._folder.cleanup()

    def add(self, new: New, view: str | None = None) -> None:
        """Commit *new*, and with it the text of the view, if there is one."""
        files = {f"{self._place.lessons}{new.name}": new.blob}
        self._commit(files, view, f"Add lesson: {new.lesson.title}\n\n{_TRAILER}: {new.lesson.id}\n", new.author)

    def add_view(self, view: str, author: Author) -> None:
        """Commit the text of the view alone."""
        self._commit({}, view, f"{_VIEW_SUBJECT}\n\n{_TRAILER}: all\n", author)

    def _commit(self, files: Mapping[str, str], view: str | None, message: str, author: Author) -> None:
        chosen = dict(files)
        if view is not None:
            chosen[self._place.view] = store(self._place, view.encode())
        self._git("update-index", "-z", "--index-info", stdin=index_lines(chosen))
        tree = self._git("write-tree", "--missing-ok").decode().strip()
        who = {
            "GIT_AUTHOR_NAME": author.name,
            "GIT_AUTHOR_EMAIL": author.email,
            **({"GIT_AUTHOR_DATE": f"@{author.seconds} +0000"} if author.seconds is not None else {}),
        }
        by = identity(self._place)
        who |= {"GIT_COMMITTER_NAME": by.name, "GIT_COMMITTER_EMAIL": by.email}
        # The text says what encoding it is in; the repository's own setting would claim another.
        command = ["-c", "i18n.commitEncoding=UTF-8", "commit-tree", "--no-gpg-sign", tree, "-p", self.tip, "-F", "-"]
        self.tip = git(self._place.top, *command, stdin=message.encode(), environment=who).decode().strip()

    def _git(self, *arguments: str, stdin: bytes = b"") -> bytes:
        return git(self._place.top, *arguments, stdin=stdin, environment=self._environment, seconds=30)


def index_lines(blobs: Mapping[str, str]) -> bytes:
    """*blobs* by path, as `update-index --index-info` reads them."""
    return b"".join(f"100644 {blob}\t".encode() + os.fsencode(path) + b"\0" for path, blob in blobs.items())


def view_text(place: Place, component: str, before: str, files: Mapping[str, str]) -> str | None:
    """What the view says with the lesson *files* (blob by name), where it said *before*; None when that is the same."""
    said = dict(texts(place.top, files.values()))
    found = {name: (said.get(blob, ""), 0) for name, blob in files.items()}
    lessons = [each for each in assembled(component, found, before) if each.line is None]
    wanted = rendered(before, lessons) if lessons else before
    return wanted if wanted != before else None
