"""The client of the measurements asks a real server, notices a wrong answer, and does not wait for a dead one."""

import json
import sys
from functools import partial
from pathlib import Path

import pytest

from bench.peers import measure
from bench.peers.field import FLOOR, Peer, hundred, one, workspace
from bench.peers.results import Found
from bench.peers.wire import LEGACY, Failed, request

SCRIPT = Path(measure.__file__).with_name("floor.py")
# Answers the handshake and the list like the floor, and ends at the first call.
ENDS = f"{SCRIPT.read_text().split('for line in sys.stdin:')[0]}for _ in range(3):\n    " + (
    "message = json.loads(sys.stdin.readline())\n    if 'id' in message:\n"
    "        print(json.dumps({'jsonrpc': '2.0', 'id': message['id'], 'result': result(message['method'], {})}), flush=True)\n"
)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The database of the measurements."""
    return workspace(tmp_path_factory.mktemp("bench"))


def floor(file: Path) -> Peer:
    """The smallest server that there is."""
    return Peer(FLOOR, [sys.executable, "-I", str(SCRIPT), str(file)], lambda sql: ("query", {"sql": sql}))


def test_every_measure_of_a_server_is_taken_by_rounds(file: Path) -> None:
    """The warm-up round of the starts is not among them."""
    found, field = Found(), [floor(file)]
    measure.starts(field, found, file, 2)
    measure.calls(field, found, file, 2, 3)
    measure.memory(field, found, file, 1, 5)
    lengths = {name: [len(each) for each in servers[FLOOR]] for name, servers in found.samples.items()}

    assert lengths == {
        **{name: [1, 1] for name in (measure.START[LEGACY], measure.FIRST)},
        **{name: [3, 3] for name in (measure.ONE, measure.HUNDRED, measure.BYTES)},
        **{name: [1] for name in (measure.IDLE, measure.AFTER, measure.GROWTH, measure.SHARED)},
    }
    assert all(value > 0 for name in (measure.ONE, measure.IDLE) for value in found.all(name, FLOOR))


def test_the_key_stands_in_the_statement_and_differs(file: Path) -> None:
    """The answer is that of its key, so a cached one would be seen."""
    with measure.opened(floor(file), file) as server:
        server.greet()
        answers = [json.loads(server.timed(request("query", {"sql": one(key)}))[1]) for key in (7, 8)]
        _, many = server.timed(request("query", {"sql": hundred(50)}))

    assert ["user7@" in str(answers[0]), "user8@" in str(answers[1]), b"user150@" in many] == [True] * 3


def test_a_server_that_answers_with_other_rows_is_not_measured(file: Path) -> None:
    """Whoever answers from a cache of another statement would win."""
    stuck = Peer("stuck", floor(file).command, lambda sql: ("query", {"sql": one(1)}))

    with pytest.raises(Failed, match="it did not answer with the rows"):
        measure.calls([stuck], Found(), file, 1, 1)


def test_a_peer_that_fails_on_the_way_is_left_out_and_the_others_are_measured_anew(file: Path) -> None:
    """What was measured of it before does not count either."""
    found, field = Found(), [floor(file), Peer("stuck", floor(file).command, lambda sql: ("query", {"sql": one(1)}))]
    found.add(measure.FIRST, "stuck", [1.0])
    measure.steadily(partial(measure.calls, file=file, rounds=2, count=1), field, found)

    assert [peer.name for peer in field] == [FLOOR]
    assert [len(each) for each in found.samples[measure.ONE][FLOOR]] == [1, 1]
    assert found.samples[measure.FIRST] == {}
    assert found.absent["stuck"].startswith("it did not answer with the rows")


def test_a_server_that_ends_is_told_of_and_the_others_are_measured(file: Path) -> None:
    """With its reason; it is never left out in silence."""
    found = Found()
    ends = Peer("ends", [sys.executable, "-I", "-c", ENDS, str(file)], lambda sql: ("query", {"sql": sql}))
    absent = Peer("absent", [str(file.parent / "nothing")], None)
    field = measure.answering([ends, floor(file), absent], file, found)

    assert [peer.name for peer in field] == [FLOOR]
    assert "ended with 0 before it answered tools/call" in found.absent["ends"]
    assert "nothing" in found.absent["absent"]


def test_a_server_that_ends_in_the_middle_is_not_waited_for(file: Path) -> None:
    """The timed call fails, too."""
    ends = Peer("ends", [sys.executable, "-I", "-c", ENDS, str(file)], None)
    with measure.opened(ends, file) as server:
        server.greet()
        server.tools()

        with pytest.raises(Failed):
            server.timed(request("query", {"sql": one(1)}))
