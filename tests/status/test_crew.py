"""Sources are asked side by side, and one that hangs holds up nobody."""

import threading
import time
from collections.abc import Iterator

import pytest

from mcp_daan.crew import Crew
from mcp_daan.errors import Unavailable
from mcp_daan.stopping import Stop, current, stoppable


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    """What hangs waits for it; opened at the end, so that no thread is left."""
    event = threading.Event()
    yield event
    event.set()


def threads() -> list[str]:
    """The names of the crew's threads."""
    return [each.name for each in threading.enumerate() if each.name.startswith("mcp-daan-")]


def test_sources_are_asked_at_the_same_time() -> None:
    """Three that wait for each other all come back."""
    meeting = threading.Barrier(3)

    assert Crew[int]().gather({str(n): lambda n=n: (meeting.wait(5), n)[1] for n in range(3)}, seconds=5) == {
        "0": 0,
        "1": 1,
        "2": 2,
    }


def test_one_that_hangs_is_left_out_when_the_time_is_over(gate: threading.Event) -> None:
    """The others' answers stand."""
    begun = time.monotonic()
    found = Crew[object]().gather({"hangs": gate.wait, "answers": lambda: "yes"}, seconds=0.3)

    assert found == {"answers": "yes"}
    assert time.monotonic() - begun < 2


def test_one_that_still_hangs_is_not_asked_again(gate: threading.Event) -> None:
    """However often: there is one thread for it, and it is asked again once it is back."""
    crew = Crew[object]()
    for _ in range(20):
        assert crew.gather({"hangs": gate.wait, "answers": lambda: 1}, seconds=0.05) == {"answers": 1}

    assert threads().count("mcp-daan-hangs") == 1
    gate.set()
    for thread in threading.enumerate():
        if thread.name == "mcp-daan-hangs":
            thread.join(5)
    assert crew.gather({"hangs": gate.wait}, seconds=5) == {"hangs": True}


def test_calls_at_the_same_time_each_get_their_answer() -> None:
    """What works for another call does not hang."""
    crew = Crew[int]()
    meeting = threading.Barrier(4)
    answers: list[dict[str, int]] = []

    def call() -> None:
        answers.append(crew.gather({"source": lambda: (meeting.wait(5), 1)[1]}, seconds=5))

    callers = [threading.Thread(target=call) for _ in range(4)]
    for each in callers:
        each.start()
    for each in callers:
        each.join(10)

    assert answers == [{"source": 1}] * 4


def test_what_is_late_is_told_to_stop(gate: threading.Event) -> None:
    """As a call that nobody waits for: what can be ended ends, and nothing new begins."""
    seen: list[str] = []

    def job() -> None:
        with stoppable(gate.set):
            gate.wait(10)
        try:
            with stoppable(lambda: None):
                seen.append("went on")
        except Unavailable:
            seen.append("stopped")

    crew = Crew[None]()
    crew.gather({"late": job}, seconds=0.1)
    for thread in threading.enumerate():
        if thread.name == "mcp-daan-late":
            thread.join(5)

    assert (gate.is_set(), seen) == (True, ["stopped"])


def test_a_call_that_is_cancelled_stops_all_that_works_for_it(gate: threading.Event) -> None:
    """Long before the deadline."""
    whole = Stop()
    current.set(whole)

    def job() -> bool:
        with stoppable(gate.set):
            threading.Timer(0.1, whole.now).start()
            return gate.wait(30)

    begun = time.monotonic()

    assert Crew[bool]().gather({"long": job}, seconds=30) == {"long": True}
    assert time.monotonic() - begun < 5
    current.set(Stop())


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_one_that_breaks_is_left_out_at_once() -> None:
    """Nobody waits for it until the deadline."""
    begun = time.monotonic()
    found = Crew[object]().gather({"breaks": lambda: 1 / 0, "answers": lambda: 1.0}, seconds=20)

    took = time.monotonic() - begun
    for thread in threading.enumerate():
        if thread.name == "mcp-daan-breaks":
            thread.join(5)

    assert (found, took < 5) == ({"answers": 1.0}, True)
