"""Three clones of one bare repository write at once, real processes; some are killed: nothing lost, all converge."""

import random
import subprocess
import sys
from pathlib import Path

import pytest

from tests.sync.conftest import LESSONS, VIEW, Machine, environment, in_remote

WRITER = Path(__file__).with_name("writer.py")
ROOT = Path(__file__).parents[2]


def start(machine: Machine, name: str, count: int) -> subprocess.Popen[str]:
    """A server on *machine* that appends *count* lessons."""
    command = [sys.executable, str(WRITER), str(machine.root), name, str(count)]
    return subprocess.Popen(
        command, env=environment(PYTHONPATH=str(ROOT)), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def said(process: subprocess.Popen[str]) -> list[list[str]]:
    """(state, path, reason) of each lesson that the server acknowledged."""
    output, errors = process.communicate(timeout=100)

    assert errors == ""
    return [line.rstrip("\n").split(" ", 2) for line in output.splitlines(keepends=True) if line.endswith("\n")]


def converged(machines: list[Machine], remote: Path) -> None:
    """Every clone has what the remote has, in one straight history, and nothing is changed or left behind."""
    for machine in (*machines, *machines):  # the first round sends what one of them still had
        machine.titles()
    heads = {machine.git("rev-parse", "HEAD") for machine in machines}

    assert len(heads) == 1
    assert [machine.status() for machine in machines] == [""] * len(machines)
    assert [machine.files() for machine in machines] == [in_remote(remote)] * len(machines)
    assert machines[0].git("rev-list", "--merges", "--count", "HEAD") == "0"
    view = (machines[0].root / VIEW).read_text()
    assert view.count("\n### ") == len(in_remote(remote))
    assert machines[0].git("fsck", "--strict", "--no-dangling") == ""


@pytest.mark.timeout(180)
def test_three_clones_with_two_servers_each_write_at_once(clone, remote: Path) -> None:
    """Every lesson is acknowledged as shared, is on the remote once, and no two conflict."""
    machines = [clone(name) for name in ("ann", "bob", "cid")]
    servers = [start(machine, f"{machine.root.name}{letter}", 5) for machine in machines for letter in "xy"]
    acknowledged = [row for server in servers for row in said(server)]

    assert [row for row in acknowledged if row[0] != "shared"] == []
    assert sorted(f"docs/knowledge/{row[1]}" for row in acknowledged) == sorted(in_remote(remote))
    assert len(acknowledged) == 30
    converged(machines, remote)


@pytest.mark.timeout(180)
def test_servers_killed_in_the_middle_of_a_push_lose_nothing(clone, remote: Path) -> None:
    """SIGKILL, again and again: what was acknowledged is on the remote after the next call, and no lock stays."""
    chance = random.Random(5)
    machines = [clone(name) for name in ("ann", "bob", "cid")]
    acknowledged: set[str] = set()
    for number in range(2):
        servers = [start(machine, f"{machine.root.name}{number}", 100) for machine in machines]
        for server in servers:
            assert server.stdout is not None
            for _ in range(chance.randrange(1, 3)):
                acknowledged.add(server.stdout.readline().split()[1])
        for server in servers:
            server.kill()
            rest, _ = server.communicate()
            acknowledged |= {line.split()[1] for line in rest.splitlines(keepends=True) if line.endswith("\n")}
    converged(machines, remote)

    assert {f"docs/knowledge/{path}" for path in acknowledged} <= set(in_remote(remote))


@pytest.mark.timeout(180)
def test_machines_that_were_offline_bring_what_they_learned_together(clone, remote: Path) -> None:
    """Each has a queue; whoever calls first sends first, the others add theirs."""
    machines = [clone(name) for name in ("ann", "bob", "cid")]
    away = remote.rename(remote.with_name("away.git"))
    servers = [start(machine, machine.root.name, 4) for machine in machines]
    assert {row[0] for server in servers for row in said(server)} == {"waiting"}
    away.rename(remote)
    servers = [start(machine, f"{machine.root.name}again", 1) for machine in machines]
    assert {row[0] for server in servers for row in said(server)} == {"shared"}

    assert len(in_remote(remote)) == 15
    assert all(name.startswith(LESSONS) for name in in_remote(remote))
    converged(machines, remote)
