"""A cancelled call leaves Cloudflare alone at once, wherever it has got to."""

import threading
import time
from collections.abc import Callable, Iterator

import pytest

from mcp_daan.cloudflare import Cloudflare
from mcp_daan.config import Limits
from mcp_daan.errors import DaanError
from mcp_daan.stopping import Stop, current, pause

from .adverse import Adverse, Reply, http, silent

# What a read that nobody stops would take.
SECONDS = 30


@pytest.fixture
def meeting() -> Iterator[Callable[..., tuple[Adverse, Cloudflare]]]:
    """Makes a server with the given replies, and a client that meets it."""
    made: list[tuple[Adverse, Cloudflare]] = []

    def meet(*replies: Reply) -> tuple[Adverse, Cloudflare]:
        server = Adverse(*replies)
        limits = Limits(connect_seconds=5, request_seconds=SECONDS)
        made.append((server, Cloudflare("t" * 40, account_id="acc", base=server.base, limits=limits)))
        return made[-1]

    yield meet
    for server, client in made:
        client.close()
        server.end()


def stopped(client: Cloudflare, under_way: Callable[[], bool]) -> float:
    """How long a read goes on after its call is cancelled, once it is *under_way*."""
    stop, failed = Stop(), threading.Event()

    def work() -> None:
        current.set(stop)
        try:
            client.get("/accounts/acc/d1/database")
        except DaanError:
            failed.set()

    thread = threading.Thread(target=work)
    thread.start()
    begun, ticking = time.monotonic(), threading.Event()
    while not under_way() and time.monotonic() < begun + 10:
        ticking.wait(0.01)
    # Long enough to get from the answer into the pause.
    ticking.wait(0.3)
    at = time.monotonic()
    stop.now()
    thread.join(SECONDS + 10)
    took = time.monotonic() - at

    assert failed.is_set()
    return took


@pytest.mark.parametrize(
    "reply",
    [http(503, retry_after="20"), http(429, retry_after="20"), silent],
    ids=["pausing", "resting", "waiting for an answer"],
)
def test_a_cancelled_call_neither_pauses_nor_waits(
    meeting: Callable[..., tuple[Adverse, Cloudflare]], reply: Reply
) -> None:
    """Its thread is free long before the pause, the rest or the answer would be over; it asks no second time."""
    server, client = meeting(reply)
    took = stopped(client, lambda: len(server.requests) > 0)

    assert took < 5
    assert len(server.requests) == 1


def test_a_cancelled_call_that_rests_for_another_ends_too(
    meeting: Callable[..., tuple[Adverse, Cloudflare]],
) -> None:
    """Cloudflare asked the first call to wait, and the second waits before it asks at all."""
    server, client = meeting(http(429, retry_after="20"))
    with pytest.raises(DaanError):
        client.get("/accounts/acc/d1/database", seconds=2)

    assert stopped(client, lambda: True) < 5
    assert len(server.requests) == 1


def test_a_pause_is_as_long_as_it_is_to_be() -> None:
    """For a call that nobody cancels, and where there is none."""
    took = []
    for stop in (None, Stop()):
        begun = time.monotonic()
        thread = threading.Thread(target=lambda stop=stop: (stop and current.set(stop), pause(0.3)))  # type: ignore[misc]
        thread.start()
        thread.join()
        took.append(time.monotonic() - begun)

    assert min(took) >= 0.3
