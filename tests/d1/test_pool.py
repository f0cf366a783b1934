"""Workers are ended, replaced and shared; nobody notices."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from mcp_daan.app import App
from mcp_daan.d1.pool import Pool
from mcp_daan.errors import TooSlow, Unavailable

from .conftest import Portal, code

ENDLESS = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT count(*) FROM c"
# One opcode that runs for minutes: nothing inside the process can stop it.
STUCK = "SELECT instr(hex(zeroblob(2000000)), hex(zeroblob(1000000)) || '1')"


def asked(pool: Pool, file: Path, sql: str, seconds: float = 5) -> list[list[Any]]:
    """The rows that a worker answers."""
    request = {"path": str(file), "sql": sql, "parameters": [], "skip": 0, "seen": "", "limit": 10, "room": 60000}
    rows: list[list[Any]] = json.loads(pool.ask({**request, "patterns": []}, seconds=seconds)["rows"])
    return rows


def gone(process: int) -> bool:
    """Whether no such process runs any more."""
    try:
        return Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def wait_until(holds: Any, seconds: float = 10) -> bool:
    """Whether *holds* becomes true in time."""
    pause = threading.Event()
    ends = time.monotonic() + seconds
    while not holds() and time.monotonic() < ends:
        pause.wait(0.02)
    return bool(holds())


def test_workers_start_on_demand_and_are_used_again(portal: Portal) -> None:
    """One call after another needs one process."""
    before = portal.app.pool.processes
    for _ in range(5):
        portal.rows("SELECT 1")

    assert (before, len(portal.app.pool.processes)) == ([], 1)


@pytest.mark.parametrize("sql", [ENDLESS, STUCK])
def test_a_statement_ends_at_its_deadline(portal: Portal, sql: str) -> None:
    """At most a second later, whatever it does."""
    portal.settings("[limits]\nstatement_seconds = 0.5\n")
    portal.rows("SELECT 1")
    started = time.monotonic()

    answer = portal.query(sql)

    assert (code(answer), time.monotonic() - started < 1.7) == ("too_slow", True)
    assert portal.rows("SELECT 1") == [[1]]


def test_others_are_answered_while_one_hangs(portal: Portal) -> None:
    """Each call has a process of its own."""
    portal.settings("[limits]\nstatement_seconds = 1.5\n")
    with ThreadPoolExecutor(2) as threads:
        stuck = threads.submit(portal.query, STUCK)
        beside = [portal.rows("SELECT count(*) FROM users") for _ in range(20)]
        unfinished = not stuck.done()

        assert (beside, unfinished) == ([[[4]]] * 20, True)
        assert code(stuck.result()) == "too_slow"


def test_workers_that_were_killed_while_idle_fail_no_call(portal: Portal) -> None:
    """They are replaced without a word, however many they were."""
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(portal.rows, ["SELECT count(*) FROM users, users, users, users, users, users"] * 8))
    processes = portal.app.pool.processes
    for process in processes:
        os.kill(process, signal.SIGKILL)
    assert wait_until(lambda: all(gone(process) for process in processes))

    assert (len(processes) > 2, portal.rows("SELECT 2")) == (True, [[2]])
    assert set(processes) & set(portal.app.pool.processes) == set()


def test_a_worker_that_is_killed_at_work_is_replaced(portal: Portal) -> None:
    """The statement runs again in another one: reading twice is harmless."""
    portal.settings("[limits]\nstatement_seconds = 20\n")
    slow = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c LIMIT 3000000) SELECT count(*) FROM c"
    with ThreadPoolExecutor(1) as threads:
        running = threads.submit(portal.rows, slow)
        assert wait_until(lambda: portal.app.pool.processes)
        [process] = portal.app.pool.processes
        os.kill(process, signal.SIGKILL)

        assert running.result() == [[3000000]]
    assert process not in portal.app.pool.processes


def test_a_stopped_worker_is_ended_from_outside(portal: Portal) -> None:
    """It cannot end itself, nor tell anybody."""
    portal.settings("[limits]\nstatement_seconds = 0.5\n")
    portal.rows("SELECT 1")
    [process] = portal.app.pool.processes
    os.kill(process, signal.SIGSTOP)

    assert code(portal.query("SELECT 1")) == "too_slow"
    assert portal.rows("SELECT 1") == [[1]]
    assert gone(process)


def test_a_worker_that_answered_lives_on(portal: Portal) -> None:
    """Past the time at which it would have been late."""
    portal.settings("[limits]\nstatement_seconds = 0.2\n")
    portal.rows("SELECT 1")
    [process] = portal.app.pool.processes

    assert not wait_until(lambda: gone(process), seconds=1.5)


def test_many_calls_share_few_workers(portal: Portal) -> None:
    """Thirty at once are answered by at most four."""
    with ThreadPoolExecutor(10) as threads:
        rows = list(threads.map(portal.rows, ["SELECT count(*) FROM users"] * 30))

    assert rows == [[[4]]] * 30
    assert 1 <= len(portal.app.pool.processes) <= 4


def test_a_call_that_finds_no_free_worker_in_time_is_told_so(portal: Portal) -> None:
    """It waits as long as the pool lets it."""
    pool = Pool(size=1, wait_seconds=0.2)
    with ThreadPoolExecutor(1) as threads:
        stuck = threads.submit(asked, pool, portal.file, ENDLESS, 1.5)
        assert wait_until(lambda: pool.processes)

        with pytest.raises(Unavailable, match="busy"):
            asked(pool, portal.file, "SELECT 1", 0.2)
        with pytest.raises(TooSlow):
            stuck.result()
    pool.close()


def test_two_apps_read_one_file_at_the_same_time(portal: Portal) -> None:
    """As two servers on one workspace do."""
    other = App(str(portal.root), {})
    pools = [portal.app.pool, other.pool] * 10
    with ThreadPoolExecutor(4) as threads:
        rows = list(threads.map(lambda pool: asked(pool, portal.file, "SELECT count(*) FROM users"), pools))
    other.close()

    assert rows == [[[4]]] * 20


def test_a_closed_pool_leaves_no_process_behind(portal: Portal) -> None:
    """And starts none any more."""
    portal.rows("SELECT 1")
    processes = portal.app.pool.processes
    portal.app.pool.close()

    assert [gone(process) for process in processes] == [True]
    with pytest.raises(Unavailable, match="closing"):
        asked(portal.app.pool, portal.file, "SELECT 1")


SERVER = """
import sys
from concurrent.futures import ThreadPoolExecutor
from mcp_daan.d1.pool import Pool

pool = Pool()
request = {"path": sys.argv[1], "parameters": [], "skip": 0, "seen": "", "limit": 1, "room": 60000, "patterns": []}
with ThreadPoolExecutor() as threads:
    stuck = threads.submit(pool.ask, {**request, "sql": sys.argv[2]}, seconds=1)
    while not pool.processes:
        pass
    pool.ask({**request, "sql": "SELECT 1"}, seconds=5)
    print(*pool.processes, flush=True)
    sys.stdin.read()
"""


def test_workers_end_with_a_server_that_was_killed(portal: Portal) -> None:
    """The idle one at once, the one that is stuck at its deadline."""
    server = subprocess.Popen(
        [sys.executable, "-c", SERVER, str(portal.file), STUCK],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert server.stdin
    assert server.stdout
    processes = [int(word) for word in server.stdout.readline().split()]
    server.kill()
    server.wait()
    server.stdin.close()
    server.stdout.close()

    assert len(processes) == 2
    assert wait_until(lambda: all(gone(process) for process in processes))


def test_a_worker_is_started_without_the_secrets_of_the_server(portal: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its environment holds what Python needs."""
    monkeypatch.setenv("TOKEN_ENCRYPTION_KEY", "not-a-real-key")
    portal.rows("SELECT 1")
    [process] = portal.app.pool.processes

    assert b"TOKEN_ENCRYPTION_KEY" not in Path(f"/proc/{process}/environ").read_bytes()


def test_a_worker_imports_nothing_from_the_folder_it_is_started_in(
    portal: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A workspace may hold a file called json.py or apsw.py."""
    for name in ("json", "apsw", "mcp_daan"):
        (portal.root / f"{name}.py").write_text("raise SystemExit(1)", encoding="utf-8")
    monkeypatch.chdir(portal.root)

    assert portal.rows("SELECT 1") == [[1]]


def test_a_worker_loads_nothing_that_is_slow_to_load() -> None:
    """Somebody waits for it to start."""
    slow = "dataclasses inspect hashlib random tempfile shutil subprocess pydantic mcp_daan.d1.masking.lineage"
    program = f"import sys, mcp_daan.d1.worker; print(*set({slow.split()}).intersection(sys.modules))"
    path = os.pathsep.join(sys.path)

    done = subprocess.run(
        [sys.executable, "-S", "-c", program], capture_output=True, text=True, env={"PYTHONPATH": path}, check=True
    )

    assert done.stdout == "\n"


def test_a_statement_cannot_take_the_memory_of_the_machine(portal: Portal) -> None:
    """It fails, and its process stays small."""
    portal.settings("[limits]\nstatement_seconds = 20\n")
    greedy = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c LIMIT 400) SELECT count(*) FROM (SELECT zeroblob(4000000) || x AS b FROM c ORDER BY random(), b)"

    answer = portal.query(greedy)
    peaks = [
        int(line.split()[1]) * 1024
        for process in portal.app.pool.processes
        for line in Path(f"/proc/{process}/status").read_text(encoding="utf-8").splitlines()
        if line.startswith("VmHWM")
    ]

    assert code(answer) == "too_large"
    assert max(peaks) < 400 << 20


def test_rows_are_not_gathered_beyond_what_an_answer_holds(portal: Portal) -> None:
    """An endless result ends with the page."""
    started = time.monotonic()
    endless = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT hex(zeroblob(1000)) FROM c"

    answer = portal.query(endless, limit=1000)

    assert (answer.status, answer.data["truncated"], time.monotonic() - started < 2) == ("partial", True, True)


def test_fifty_readers_at_once_are_all_answered_and_none_waits_for_the_others_to_end(portal: Portal) -> None:
    """Each asks four times: everybody has a first answer before anybody has the last."""
    slow = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c LIMIT 30000) SELECT ?, count(*) FROM c"
    order: list[tuple[int, int]] = []
    wrong: list[Any] = []
    start = threading.Barrier(50)

    def read(reader: int) -> None:
        start.wait()
        for turn in range(4):
            answer = portal.query(slow, parameters=[reader])
            order.append((turn, reader))
            if answer.data.get("rows") != [[reader, 30000]]:
                wrong.append(answer)

    with ThreadPoolExecutor(50) as threads:
        list(threads.map(read, range(50)))

    assert wrong == []
    assert max(order.index((0, reader)) for reader in range(50)) < min(order.index((3, reader)) for reader in range(50))
