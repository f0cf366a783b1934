"""Reading while the real engine runs, after it was killed, and where only another user may write."""

import os
import shutil
import sqlite3
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from mcp_daan.d1.reading import reading
from tests.node.engine import Engine

from .conftest import ID, Portal, contents
from .test_reading import COUNT, count

# The first run installs the engine.
pytestmark = pytest.mark.timeout(300)
NOBODY = 65534


@pytest.fixture
def engine(empty: Portal) -> Iterator[Engine]:
    """D1 itself, with three rows in the portal's database."""
    running = Engine(empty.folder / ".wrangler/state/v3", ID)
    assert running.ask("CREATE TABLE t (x)")["success"]
    assert running.ask("INSERT INTO t VALUES (1), (2), (3)")["success"]
    yield running
    running.end()


def test_rows_that_the_worker_has_just_written_are_read(empty: Portal, engine: Engine) -> None:
    """They stand in the write-ahead log only; and the Worker still writes afterwards."""
    before = empty.rows(COUNT)
    written = engine.ask("INSERT INTO t VALUES (4)")

    assert Path(f"{empty.file}-wal").stat().st_size > 0
    assert (before, written["success"], empty.rows(COUNT)) == ([[3]], True, [[4]])


def test_a_new_table_is_seen_at_once(empty: Portal, engine: Engine) -> None:
    """By the same server, which had read the schema before."""
    empty.rows(COUNT)
    engine.ask("CREATE TABLE later (y, token)")
    engine.ask("INSERT INTO later VALUES (1, 'hunter2')")

    assert empty.rows("SELECT * FROM later") == [[1, "***"]]


def test_a_long_reading_sees_one_state_and_keeps_nobody_from_writing(empty: Portal, engine: Engine) -> None:
    """The Worker writes on; the next reading sees it."""
    with reading(empty.file, seconds=20) as connection:
        seen = [connection.execute(COUNT).fetchall()]
        written = [engine.ask(f"INSERT INTO t VALUES ({n})")["success"] for n in range(20)]
        seen.append(connection.execute(COUNT).fetchall())

    assert (seen, written) == ([[(3,)]] * 2, [True] * 20)
    assert count(empty.file) == 23


def test_readers_and_a_writing_worker_do_not_disturb_each_other(empty: Portal, engine: Engine) -> None:
    """No failure on either side, and no count is smaller than one before it."""
    counts: list[list[int]] = [[], []]
    done = threading.Event()

    def read(into: list[int]) -> None:
        while not done.is_set() or not into:
            into.append(count(empty.file))

    threads = [threading.Thread(target=read, args=(each,)) for each in counts]
    for thread in threads:
        thread.start()
    written = [engine.ask("INSERT INTO t VALUES (0)")["success"] for _ in range(200)]
    done.set()
    for thread in threads:
        thread.join()

    assert written == [True] * 200
    assert [each == sorted(each) and each[-1] <= 203 for each in counts] == [True, True]
    assert count(empty.file) == 203


def test_what_a_killed_worker_left_is_read_whole(empty: Portal, engine: Engine) -> None:
    """With its log, into which all rows were written."""
    engine.kill()

    assert Path(f"{empty.file}-wal").stat().st_size > 0
    assert empty.rows(COUNT) == [[3]]


def test_the_engine_goes_on_with_a_file_that_was_read_beside_it(empty: Portal, engine: Engine) -> None:
    """What reading leaves behind, a -shm at most, is no hindrance."""
    engine.kill()
    empty.rows(COUNT)
    again = Engine(empty.folder / ".wrangler/state/v3", ID)
    answers = [again.ask("INSERT INTO t VALUES (4)"), again.ask("SELECT count(*) AS n FROM t")]
    again.end()

    assert (answers[0]["success"], answers[1]["results"]) == (True, [{"n": 4}])


@pytest.fixture
def foreign() -> Iterator[Path]:
    """A folder in which everybody may read and nobody but its owner may write."""
    folder = Path(tempfile.mkdtemp(prefix="mcp-daan-test-"))
    folder.chmod(0o755)
    yield folder
    folder.chmod(0o755)
    shutil.rmtree(folder)


@contextmanager
def as_another_user(folder: Path) -> Iterator[None]:
    """Without the right to write in *folder*; root needs to be somebody else for that."""
    root = os.geteuid() == 0
    folder.chmod(0o555)
    if root:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)


@contextmanager
def written(file: Path) -> Iterator[None]:
    """Three rows, two of them in the log of a writer that is still there."""
    writer = sqlite3.connect(file, isolation_level=None)
    writer.executescript("PRAGMA journal_mode = WAL; CREATE TABLE t(x); INSERT INTO t VALUES (1);")
    writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    writer.execute("INSERT INTO t VALUES (2), (3)")
    yield
    writer.close()


def test_another_users_running_worker_is_read(foreign: Path) -> None:
    """Its -shm is there."""
    with written(foreign / "a.sqlite"), as_another_user(foreign):
        assert count(foreign / "a.sqlite") == 3


def test_another_users_file_at_rest_is_read(foreign: Path) -> None:
    """Where SQLite alone says that it cannot write, for it would make a -shm."""
    with written(foreign / "a.sqlite"):
        pass
    before = contents(foreign)

    with as_another_user(foreign):
        assert count(foreign / "a.sqlite") == 3
    assert before == contents(foreign)


def test_another_users_killed_worker_is_read_whole(foreign: Path) -> None:
    """A filled log without a -shm, in a folder that is closed to us: from a copy."""
    with written(foreign / "a.sqlite"):
        shutil.copyfile(foreign / "a.sqlite", foreign / "left.sqlite")
        shutil.copyfile(foreign / "a.sqlite-wal", foreign / "left.sqlite-wal")
    before = contents(foreign)

    with as_another_user(foreign):
        assert count(foreign / "left.sqlite") == 3
    assert before == contents(foreign)
