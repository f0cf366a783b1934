"""Open a SQLite file that wrangler keeps, for reading, and leave no trace of it."""

import shutil
import tempfile
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import apsw

from mcp_daan.errors import Unavailable

# A writer holds the file for milliseconds; longer means that it keeps it.
BUSY_MILLISECONDS = 1000
COPY_BYTES = 1 << 30
OPS_BETWEEN_LOOKS = 1000


@contextmanager
def opened(file: Path, *, seconds: float, prepare: Callable[[apsw.Connection], None]) -> Iterator[apsw.Connection]:
    """A connection to one state of *file*, which gives up after *seconds*; *prepare* closes it off before the first read.

    Raises Unavailable when the file cannot be read or was rewritten meanwhile; SQLite's own failures pass.
    """
    deadline = time.monotonic() + seconds
    with ExitStack() as stack:
        try:
            connection, unchanged = _connect(file, prepare, stack)
        except OSError:
            raise Unavailable("The database file may not be read.", advice="Check the rights of the file.") from None
        connection.set_progress_handler(lambda: time.monotonic() >= deadline, OPS_BETWEEN_LOOKS)
        yield connection
        if not unchanged():
            raise Unavailable("The database was rewritten while it was read.", advice="Ask again.")


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


def _connect(
    file: Path, prepare: Callable[[apsw.Connection], None], stack: ExitStack
) -> tuple[apsw.Connection, Callable[[], bool]]:
    """A connection in which one state of the file stands, and a way to ask whether it stood until now."""
    stamp = _stamp(file)
    # Where all is in the main file, `immutable` leaves no -wal and -shm behind. Beside a filled -wal it would
    # give old rows; and since it takes no locks, a write to the main file meanwhile has to be noticed.
    resting = _resting(file)
    if _filled(_log(file)) and not _shared(file).exists():
        # A killed writer's -wal: reading it in place would make a -shm, and nothing is written beside the file.
        return _begin(_copied(file, stack), "mode=ro", prepare, stack), lambda: True
    try:
        return _begin(file, "mode=ro&immutable=1" if resting else "mode=ro", prepare, stack), (
            lambda: not resting or _stamp(file) == stamp
        )
    except (apsw.CantOpenError, apsw.ReadOnlyError):
        if resting or not _filled(_log(file)):
            raise
    # Another user's -shm that may not be written to.
    return _begin(_copied(file, stack), "mode=ro", prepare, stack), lambda: True


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
    # Sorting in memory: no temporary file anywhere. Foreign keys are on in D1, which a PRAGMA tells. BEGIN and the
    # first read fix the state that is read.
    connection.execute(
        "PRAGMA query_only=1; PRAGMA temp_store=2; PRAGMA mmap_size=0; PRAGMA cell_size_check=1; PRAGMA foreign_keys=1;"
        " BEGIN; SELECT count(*) FROM sqlite_schema"
    ).fetchall()
    return connection


def _resting(file: Path) -> bool:
    """Whether the file keeps a write-ahead log and nothing stands in it."""
    with file.open("rb") as opened:
        head = opened.read(20)
    return head[18:20] == b"\x02\x02" and not _filled(_log(file))


def _copied(file: Path, stack: ExitStack) -> Path:
    """A copy of the file and its -wal in a folder of our own, as they stood at one moment."""
    pair = [file, _log(file)]
    if sum(each.stat().st_size for each in pair) > COPY_BYTES:
        raise Unavailable(
            "The database and its write-ahead log are too large to read from a copy.",
            advice="Start `wrangler dev` once, which takes the log in; or run as the user whose file it is.",
        )
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="mcp-daan-")))
    before = [_stamp(each) for each in pair]
    for each in pair:
        shutil.copyfile(each, folder / each.name)
    if before != [_stamp(each) for each in pair]:
        raise Unavailable("The database is being written to.", advice="Ask again in a moment.")
    return folder / file.name


def _log(file: Path) -> Path:
    return file.with_name(file.name + "-wal")


def _shared(file: Path) -> Path:
    return file.with_name(file.name + "-shm")


def _filled(file: Path) -> bool:
    return file.exists() and file.stat().st_size > 0


def _stamp(file: Path) -> tuple[int, int, int] | None:
    try:
        found = file.stat()
    except FileNotFoundError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns
