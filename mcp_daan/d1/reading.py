"""Open a D1 file for reading, and for nothing else."""

import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path

import apsw

from mcp_daan.d1.failures import in_our_words, missing_file
from mcp_daan.d1.guard import Guard, harden, refusal
from mcp_daan.d1.masking.catalog import quoted
from mcp_daan.errors import Unavailable

# A writer holds the file for milliseconds; longer means that it keeps it.
BUSY_MILLISECONDS = 1000
COPY_BYTES = 1 << 30
OPS_BETWEEN_LOOKS = 1000
ROOTLESS = "type = 'table' AND rootpage = 0"  # virtual tables


@contextmanager
def reading(path: Path, *, seconds: float) -> Iterator[apsw.Connection]:
    """A connection that can only read, gives up after *seconds*, and fails in our own words.

    For statements of our own: a caller's SQL belongs in the pool, since one opcode of it can outlast any deadline.
    Raises NotFound without a file, Unavailable when it cannot be read, TooSlow after the deadline.
    """
    with snapshot(path, seconds=seconds) as connection:
        guard = Guard(table_names(connection))
        connection.authorizer = guard
        try:
            yield connection
        except apsw.Error:
            if guard.denial is not None:
                raise refusal(guard) from None
            raise


@contextmanager
def snapshot(path: Path, *, seconds: float) -> Iterator[apsw.Connection]:
    """A connection to one state of the file, with D1's limits and a deadline, not yet guarded."""
    deadline = time.monotonic() + seconds
    file = path.resolve()
    if not file.is_file():
        raise missing_file()
    with in_our_words(), ExitStack() as stack:
        try:
            connection, unchanged = _connect(file, stack)
        except OSError:
            raise Unavailable("The database file may not be read.", advice="Check the rights of the file.") from None
        connection.set_progress_handler(lambda: time.monotonic() >= deadline, OPS_BETWEEN_LOOKS)
        yield connection
        if not unchanged():
            raise Unavailable("The database was rewritten while it was read.", advice="Ask again.")


def table_names(connection: apsw.Connection) -> frozenset[str]:
    """The names of the schema's tables and views, lower-cased, for a guard that is set afterwards."""
    trees = connection.execute(f"SELECT name FROM sqlite_schema WHERE {ROOTLESS} AND sql LIKE '%rtree%'").fetchall()
    for (name,) in trees:
        # On its first use an R*Tree prepares the writes that it may need one day, and no guard lets those by.
        with suppress(apsw.SQLError, apsw.CorruptError):  # who uses it is told
            connection.execute(f"PRAGMA main.table_xinfo({quoted(str(name))})").fetchall()
    rows = connection.execute("SELECT lower(name) FROM sqlite_schema WHERE type IN ('table', 'view')")
    return frozenset(name for (name,) in rows)


def _connect(file: Path, stack: ExitStack) -> tuple[apsw.Connection, Callable[[], bool]]:
    """A connection in which one state of the file stands, and a way to ask whether it stood until now."""
    stamp = _stamp(file)
    # Where all is in the main file, `immutable` leaves no -wal and -shm behind. Beside a filled -wal it would
    # give old rows; and since it takes no locks, a write to the main file meanwhile has to be noticed.
    resting = _resting(file)
    if _filled(_log(file)) and not _shared(file).exists():
        # A killed writer's -wal: reading it in place would make a -shm, and nothing is written beside the file.
        return _begin(_copied(file, stack), "mode=ro", stack), lambda: True
    try:
        return _begin(file, "mode=ro&immutable=1" if resting else "mode=ro", stack), (
            lambda: not resting or _stamp(file) == stamp
        )
    except (apsw.CantOpenError, apsw.ReadOnlyError):
        if resting or not _filled(_log(file)):
            raise
    # Another user's -shm that may not be written to.
    return _begin(_copied(file, stack), "mode=ro", stack), lambda: True


def _begin(file: Path, mode: str, stack: ExitStack) -> apsw.Connection:
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
    harden(connection)
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
