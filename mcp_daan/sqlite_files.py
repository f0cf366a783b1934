"""Open a SQLite file that wrangler keeps, for reading, and leave no trace of it."""

import time
from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import NamedTuple

import apsw

from mcp_daan.errors import Unavailable

# A writer holds the file for milliseconds; longer means that it keeps it.
BUSY_MILLISECONDS = 1000
COPY_BYTES = 1 << 30
OPS_BETWEEN_LOOKS = 1000
# The coarsest clock of a file system that is in use ticks every two seconds: two changes within one tick look the same.
SETTLED_NANOSECONDS = 2_000_000_000
# BEGIN and the first read fix the state that is read.
FIRST_READ = "BEGIN; SELECT count(*) FROM sqlite_schema"


class Stamp(NamedTuple):
    """What the system tells a state of a file by."""

    device: int
    inode: int
    size: int
    written: int
    changed: int


class Opened(NamedTuple):
    """A connection to one state of *file*. At rest, SQLite locks nothing, and nobody but us sees that it is read.

    *lasts* tells that the same stamp will mean the same state: all of it lies in this file, which nobody touched lately.
    """

    connection: apsw.Connection
    file: Path
    log: Path
    stamp: Stamp | None
    resting: bool = False
    lasts: bool = False

    def limit(self, seconds: float) -> None:
        """Stop whatever runs *seconds* from now."""
        deadline = time.monotonic() + seconds
        self.connection.set_progress_handler(lambda: time.monotonic() >= deadline, OPS_BETWEEN_LOOKS)

    def check(self) -> None:
        """Raises Unavailable if the file was rewritten since it was opened."""
        if self.resting and stamp_of(self.file) != self.stamp:
            raise Unavailable("The database was rewritten while it was read.", advice="Ask again.")


@contextmanager
def opened(file: Path, *, seconds: float, prepare: Callable[[apsw.Connection], None]) -> Iterator[apsw.Connection]:
    """A connection to one state of *file*, which gives up after *seconds*; *prepare* closes it off before the first read.

    Raises Unavailable when the file cannot be read or was rewritten meanwhile; SQLite's own failures pass.
    """
    with ExitStack() as stack:
        found = connected(file, prepare, stack)
        found.limit(seconds)
        yield found.connection
        found.check()


def close_off(connection: apsw.Connection, modules: Collection[str] = ()) -> None:
    """Take away what could reach past the database of *connection*; of virtual tables only *modules* stay."""
    connection.drop_modules(modules)
    for setting, value in (
        (apsw.SQLITE_DBCONFIG_DEFENSIVE, 1),
        (apsw.SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0),
        (apsw.SQLITE_DBCONFIG_ENABLE_FTS3_TOKENIZER, 0),
        (apsw.SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0),
        (apsw.SQLITE_DBCONFIG_ENABLE_ATTACH_CREATE, 0),
        (apsw.SQLITE_DBCONFIG_ENABLE_ATTACH_WRITE, 0),
    ):
        connection.config(setting, value)


def connected(file: Path, prepare: Callable[[apsw.Connection], None], stack: ExitStack) -> Opened:
    """A connection in which one state of *file* stands until *stack* is closed; fails as `opened` does."""
    try:
        return _connected(file, prepare, stack)
    except OSError:
        raise Unavailable("The database file may not be read.", advice="Check the rights of the file.") from None


def _connected(file: Path, prepare: Callable[[apsw.Connection], None], stack: ExitStack) -> Opened:
    stamp, now = stamp_of(file), time.time_ns()
    # Where all is in the main file, `immutable` leaves no -wal and -shm behind. Beside a filled -wal it would
    # give old rows; and since it takes no locks, a write to the main file meanwhile has to be noticed.
    log, logged = _log(file), _logged(file)
    resting = logged and not filled(log)
    if filled(log) and not _shared(file).exists():
        # A killed writer's -wal: reading it in place would make a -shm, and nothing is written beside the file.
        return _copy(file, prepare, stack)
    try:
        connection = _begin(file, "mode=ro&immutable=1" if resting else "mode=ro", prepare, stack)
    except (apsw.CantOpenError, apsw.ReadOnlyError):
        if resting or not filled(log):
            raise
        # Another user's -shm that may not be written to.
        return _copy(file, prepare, stack)
    settled = stamp is not None and now - max(stamp.written, stamp.changed) > SETTLED_NANOSECONDS
    return Opened(connection, file, log, stamp, resting, settled and (resting or not logged))


def _copy(file: Path, prepare: Callable[[apsw.Connection], None], stack: ExitStack) -> Opened:
    copy = _copied(file, stack)
    return Opened(_begin(copy, "mode=ro", prepare, stack), copy, _log(copy), None)


def _begin(file: Path, mode: str, prepare: Callable[[apsw.Connection], None], stack: ExitStack) -> apsw.Connection:
    connection = stack.enter_context(
        closing(
            apsw.Connection(
                f"{file.as_uri()}?{mode}",
                flags=apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI,
                statementcachesize=0,
            )
        )
    )
    connection.set_busy_timeout(BUSY_MILLISECONDS)
    prepare(connection)
    # Sorting in memory: no temporary file anywhere. Foreign keys are on in D1, which a PRAGMA tells.
    connection.execute(
        "PRAGMA query_only=1; PRAGMA temp_store=2; PRAGMA mmap_size=0; PRAGMA cell_size_check=1; PRAGMA foreign_keys=1;"
        f" {FIRST_READ}"
    ).fetchall()
    return connection


def _logged(file: Path) -> bool:
    """Whether the file keeps a write-ahead log."""
    with file.open("rb") as opened:
        head = opened.read(20)
    return head[18:20] == b"\x02\x02"


def _copied(file: Path, stack: ExitStack) -> Path:
    """A copy of the file and its -wal in a folder of our own, as they stood at one moment."""
    # Seldom needed, and slow to load.
    import shutil
    import tempfile

    pair = [file, _log(file)]
    if sum(each.stat().st_size for each in pair) > COPY_BYTES:
        raise Unavailable(
            "The database and its write-ahead log are too large to read from a copy.",
            advice="Start `wrangler dev` once, which takes the log in; or run as the user whose file it is.",
        )
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="mcp-daan-")))
    before = [stamp_of(each) for each in pair]
    for each in pair:
        shutil.copyfile(each, folder / each.name)
    if before != [stamp_of(each) for each in pair]:
        raise Unavailable("The database is being written to.", advice="Ask again in a moment.")
    return folder / file.name


def _log(file: Path) -> Path:
    return file.with_name(file.name + "-wal")


def _shared(file: Path) -> Path:
    return file.with_name(file.name + "-shm")


def filled(log: Path) -> bool:
    """Whether anything stands in *log*."""
    try:
        return log.stat().st_size > 0
    except FileNotFoundError:
        return False


def stamp_of(file: Path) -> Stamp | None:
    """The stamp of *file*; None if there is no such file."""
    try:
        found = file.stat()
    except FileNotFoundError:
        return None
    return Stamp(found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
