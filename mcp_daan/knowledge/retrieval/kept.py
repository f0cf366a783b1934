"""A SQLite file in the user's cache folder, shared by every server; held in memory where it cannot be kept.

It may be deleted at any time. A damaged one is replaced by its next generation.
"""

import threading
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TypeVar

import apsw

from mcp_daan.workspace import cache_folder

T = TypeVar("T")
BUSY_MILLISECONDS = 10_000
# These say that the place does not serve; any other error, that the file is damaged.
_PLACE = (apsw.BusyError, apsw.LockedError, apsw.CantOpenError, apsw.ReadOnlyError, apsw.FullError, apsw.IOError)


@dataclass(frozen=True)
class Kept:
    """What is kept: the file's name, its tables, and their version, which is part of the name."""

    name: str
    tables: str
    version: int

    @property
    def stem(self) -> str:
        """The file's name up to its generation."""
        return f"{self.name}-v{self.version}"


def within(kept: Kept, work: Callable[[apsw.Connection], T]) -> T:
    """What *work* makes of what is kept; it is called again where the first file turns out to be damaged."""
    folder = cache_folder()
    generation = _newest(folder, kept.stem)
    # A damaged file is not deleted under others who have it open: the next generation takes its place.
    for number in (generation, generation + 1):
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with closing(_opened(str(folder / f"{kept.stem}-{number}.sqlite"), kept)) as connection:
                done = work(connection)
        except (OSError, *_PLACE):
            break
        except apsw.Error:
            continue
        if number > generation:
            _drop_older(folder, kept.stem, number)
        return done
    memory = _memory(kept)
    with memory.lock:
        return work(memory.connection)


def at_one_moment(connection: apsw.Connection, work: Callable[[apsw.Connection], T]) -> T:
    """What *work* reads, unchanged by other servers between two of its statements."""
    connection.execute("BEGIN DEFERRED")
    try:
        return work(connection)
    finally:
        connection.execute("ROLLBACK")


@dataclass
class _Memory:
    connection: apsw.Connection
    lock: threading.Lock = field(default_factory=threading.Lock)


@cache
def _memory(kept: Kept) -> _Memory:
    return _Memory(_opened(":memory:", kept))


def _opened(path: str, kept: Kept) -> apsw.Connection:
    connection = apsw.Connection(path)
    try:
        connection.set_busy_timeout(BUSY_MILLISECONDS)
        # A write begins as one: two servers that read first and then both want to write would both give up.
        connection.transaction_mode = "IMMEDIATE"
        if connection.pragma("journal_mode") != "wal":
            # The switch needs the file for itself and does not wait; whoever comes first makes it for all.
            with suppress(apsw.BusyError):
                connection.pragma("journal_mode", "wal")
        connection.pragma("synchronous", "normal")
        if connection.pragma("user_version") != kept.version:
            with connection:
                connection.execute(kept.tables)
                connection.pragma("user_version", kept.version)
    except apsw.Error:
        connection.close()
        raise
    return connection


def _newest(folder: Path, stem: str) -> int:
    numbers = [file.stem.removeprefix(f"{stem}-") for file in folder.glob(f"{stem}-*.sqlite")]
    return max((int(number) for number in numbers if number.isdecimal()), default=0)


def _drop_older(folder: Path, stem: str, newest: int) -> None:
    for number in range(newest):
        for ending in ("", "-wal", "-shm"):
            with suppress(OSError):
                (folder / f"{stem}-{number}.sqlite{ending}").unlink()
