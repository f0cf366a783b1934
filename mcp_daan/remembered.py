"""What was made of files and folders, for as long as these are what they were.

Every call looks at the workspace again, so that an edit is seen without a restart; most calls find it as it was.
Looking is one `stat`: what was read or listed is made anew when anything has changed that the system notes.
"""

import os
import stat
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

T = TypeVar("T")
# The clock of files ticks: what changed just before it was read may change once more within the tick, and show the same
# time. Such a thing is not trusted until it has been quiet for longer than the coarsest tick there is, that of FAT.
SETTLED_NS = 2_000_000_000
# More than any workspace has; what is gone is not looked for, so all is forgotten when there is too much.
MOST = 100_000

Stamp = tuple[int, int, int, int, int, int]
Make = Callable[[str], Any]


class _Kept(NamedTuple):
    stamp: Stamp | None
    make: Make
    made: Any


class Looks:
    """Where there were files and folders when something was worked out that rests on it."""

    def __init__(self) -> None:
        self._seen: dict[str, int] = {}

    def is_file(self, path: Path) -> bool:
        """Whether *path* is a file."""
        return self._look(path) == stat.S_IFREG

    def is_dir(self, path: Path) -> bool:
        """Whether *path* is a folder."""
        return self._look(path) == stat.S_IFDIR

    def hold(self) -> bool:
        """Whether every path is still what it was."""
        return all(_kind(path) == kind for path, kind in self._seen.items())

    def _look(self, path: Path) -> int:
        name = str(path)
        if name not in self._seen:
            self._seen[name] = _kind(name)
        return self._seen[name]


class Remembered:
    """What was made of each file and folder. Calls share it, and nobody changes what it gives."""

    def __init__(self) -> None:
        self._kept: dict[str, _Kept] = {}
        self._worked_out: dict[str, tuple[tuple[object, ...], Looks, Any]] = {}
        self._resolved: dict[str, tuple[tuple[int, int], Path]] = {}

    def file(self, path: str, make: Callable[[str], T]) -> T | None:
        """What *make* makes of the file *path*; None where there is no file."""
        return self._of(path, make, stat.S_IFREG)

    def folder(self, path: str, make: Callable[[str], T]) -> T | None:
        """What *make* makes of the folder *path*; None where there is no folder."""
        return self._of(path, make, stat.S_IFDIR)

    def worked_out(self, name: str, given: tuple[object, ...], make: Callable[[Looks], T]) -> T:
        """What *make* works out of *given* and of what is where; the last one, where all of that is as it was."""
        kept = self._worked_out.get(name)
        if kept is not None and kept[0] == given and kept[1].hold():
            before: T = kept[2]
            return before
        looks = Looks()
        made = make(looks)
        self._worked_out[name] = (given, looks, made)
        return made

    def resolved(self, path: str) -> Path | None:
        """The folder *path* without links in it; None where there is no folder."""
        there = _folder(path)
        if there is None:
            return None
        known = self._resolved.get(path)
        if known is None or known[0] != there or _folder(str(known[1])) != there:
            known = self._resolved[path] = there, Path(path).resolve()
        return known[1]

    def _of(self, path: str, make: Callable[[str], T], kind: int) -> T | None:
        try:
            seen = look(path)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError:  # what may not even be looked at: *make* says what that means
            return make(path)
        if stat.S_IFMT(seen.st_mode) != kind:
            return None
        stamp = (seen.st_mtime_ns, seen.st_ctime_ns, seen.st_ino, seen.st_size, seen.st_dev, seen.st_mode)
        kept = self._kept.get(path)
        if kept is not None and kept.stamp == stamp and kept.make is make:
            before: T = kept.made
            return before
        began = time.time_ns()
        made = make(path)
        if kept is not None and kept.made == made:
            made = kept.made  # what was worked out of it stays good
        if len(self._kept) >= MOST:
            self._kept.clear()
        settled = max(seen.st_mtime_ns, seen.st_ctime_ns) + SETTLED_NS < began
        self._kept[path] = _Kept(stamp if settled else None, make, made)
        return made


def look(path: str) -> os.stat_result:
    """What the system notes of *path*."""
    return os.stat(path)  # noqa: PTH116 - of thousands a call, for which an object each would cost as much again


def is_file(path: str) -> bool:
    """Whether *path* is a file, or may be one that nobody may look at."""
    try:
        return stat.S_ISREG(look(path).st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True


def _kind(path: str) -> int:
    try:
        return stat.S_IFMT(look(path).st_mode)
    except OSError:
        return 0


def _folder(path: str) -> tuple[int, int] | None:
    """Which folder *path* is, whatever it is called."""
    try:
        seen = look(path)
    except OSError:
        return None
    return (seen.st_dev, seen.st_ino) if stat.S_ISDIR(seen.st_mode) else None
