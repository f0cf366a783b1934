"""Three replicas behind nginx, without stickiness: one is killed under load, and nothing that was acknowledged is lost."""

import asyncio
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from statistics import median

import pytest

from tests.http.servers import wait
from tests.replicas.nginx import Balancer, free_port
from tests.replicas.team import Agent, Replica, Seen, connected, repository, token
from tests.sync.conftest import LESSONS, Machine, in_remote

pytestmark = [pytest.mark.long, pytest.mark.timeout(400)]
ERAS = ("legacy", "auto", "legacy", "auto", "legacy", "auto")
# A closed connection is noticed as soon as nginx reads it; a second is for a machine that is busy.
NOTICED_SECONDS = 1.0


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """What all machines share: the repository, the database, the tokens."""
    repository(tmp_path)
    return tmp_path


@pytest.fixture
def balancer(folder: Path) -> Iterator[tuple[Balancer, list[Replica]]]:
    """nginx and what stands behind it."""
    ports = [free_port() for _ in range(4)]
    front = Balancer(folder / "nginx", ports[1:], ports[0])
    token_ = token(folder)
    (folder / "token").write_text(token_)
    replicas: list[Replica] = []
    for number, port in enumerate(ports[1:]):
        clone = folder / f"clone{number}"
        subprocess.run(["git", "clone", "--quiet", str(folder / "remote.git"), str(clone)], check=True)
        replicas.append(Replica(Machine(clone), folder / f"home{number}", port, front.url))
    front.start()
    yield front, replicas
    front.stop()
    for replica in replicas:
        replica.server.close()
        replica.machine.app.close()


@pytest.mark.asyncio
async def test_a_replica_that_is_killed_takes_only_its_running_calls_along(
    balancer: tuple[Balancer, list[Replica]], folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Six agents of both eras look up and write. After the balancer noticed no call fails; every lesson is there once."""
    front, replicas = balancer
    bearer, seen = (folder / "token").read_text(), Seen()
    done = asyncio.Event()
    async with AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(connected(front.url, front.trust, bearer, era)) for era in ERAS]
        agents = [Agent(f"agent{number}", client, seen) for number, client in enumerate(clients)]
        working = asyncio.gather(*(agent.work(lambda: not done.is_set()) for agent in agents))
        await calls(seen, 60)
        killed = await asyncio.to_thread(replicas[0].kill)
        at_kill = len(seen.calls)
        await calls(seen, at_kill + 60)
        await asyncio.to_thread(replicas[0].restart)
        await calls(seen, len(seen.calls) + 60)
        done.set()
        await working
    lost = seen.lost()
    with capsys.disabled():
        print_figures(seen, killed)

    assert [call for call in lost if not call.begun - NOTICED_SECONDS < killed < call.ended] == []
    assert len(lost) <= len(ERAS)
    converged(replicas, folder, bearer, seen)


async def calls(seen: Seen, count: int) -> None:
    """Return once so many calls have ended."""
    enough = await asyncio.to_thread(wait, lambda: len(seen.calls) >= count, 120)

    assert enough


def print_figures(seen: Seen, killed: float) -> None:
    """What the closing note asks for."""
    lost = seen.lost()
    last = max((call.begun - killed for call in lost), default=0.0)
    print(  # noqa: T201 - figures are what this test is run for
        f"\n{len(seen.calls)} calls, {len(seen.written)} lessons; lost at the kill: {len(lost)}"
        f" ({dict(Counter(call.tool for call in lost))}), the last begun {last * 1000:+.0f} ms from it;"
        f" {[call.failure for call in lost]}"
    )
    for tool in sorted({call.tool for call in seen.calls}):
        took = [call.ended - call.begun for call in seen.calls if call.tool == tool and call.failure is None]
        print(f"{tool}: median {median(took) * 1000:.0f} ms, longest {max(took) * 1000:.0f} ms")  # noqa: T201


def converged(replicas: list[Replica], folder: Path, bearer: str, seen: Seen) -> None:
    """Every clone is where the remote is, which holds each acknowledged lesson once, and no other."""
    for replica in (*replicas, *replicas):
        answer = replica.server.call("lessons_list", {"limit": 500}, bearer)
        assert answer["data"]["sync"]["state"] == "shared", answer
    titles = sorted(lesson["title"] for lesson in answer["data"]["lessons"])
    machines = [replica.machine for replica in replicas]
    there = in_remote(folder / "remote.git")

    assert titles == sorted(seen.written)
    assert len(there) == len(titles)
    assert all(name.startswith(LESSONS) for name in there)
    assert len({machine.git("rev-parse", "HEAD") for machine in machines}) == 1
    assert [machine.status() for machine in machines] == [""] * len(machines)
    assert [machine.files() for machine in machines] == [there] * len(machines)
