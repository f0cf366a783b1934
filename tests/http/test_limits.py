"""How much one caller may ask."""

import json
import threading
from pathlib import Path

import pytest

from mcp_daan.config import Http
from mcp_daan.server.http.limits import MOST, Limited, Limits
from mcp_daan.server.http.tokens import TokenFile
from tests.http.servers import Server, bearer, wait

ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"


def token(home: Path, name: str) -> str:
    """A token that the user at *home* gives out."""
    return TokenFile(home / "data" / "mcp-daan" / "tokens.json").create(name, ["d1:read", "infra:read"])


def test_a_caller_that_asks_too_often_is_told_when_to_come_back(demo: Path, home: Path) -> None:
    """429 with Retry-After; others are served meanwhile, and so are probes."""
    first, second = token(home, "first"), token(home, "second")
    started = Server(demo, home, DAAN_HTTP_REQUESTS_PER_MINUTE="6", DAAN_HTTP_BURST="3")
    try:
        answers = [started.ask("tools/list", token=first) for _ in range(5)]
        other = started.ask("tools/list", token=second)
        metrics = started.http.get("/metrics", headers=bearer(second)).text
    finally:
        started.close()

    assert [answer.status_code for answer in answers] == [200, 200, 200, 429, 429]
    assert 1 <= int(answers[3].headers["retry-after"]) <= 10
    assert json.loads(answers[3].text)["error"]["message"] == "Too many requests (rate)."
    assert other.status_code == 200
    assert 'daan_refusals_total{reason="rate"} 2' in metrics


def test_a_caller_may_run_so_many_requests_side_by_side(demo: Path, home: Path) -> None:
    """The next one is refused, until one of them is done; a subscription is not one of them."""
    first, second = token(home, "first"), token(home, "second")
    started = Server(demo, home, DAAN_HTTP_CONCURRENCY="1", DAAN_HTTP_STREAMS="1", DAAN_LIMITS_STATEMENT_SECONDS="3")
    listen = {"notifications": {"resourcesListChanged": True}}
    call = {"name": "d1_query", "arguments": {"database": "portal-db", "sql": ENDLESS}}
    threads = [
        threading.Thread(target=started.ask, args=("subscriptions/listen", listen, first), daemon=True),
        threading.Thread(target=started.ask, args=("tools/call", call, first)),
    ]
    try:
        threads[0].start()
        assert wait(lambda: "running 2" in running(started, second))
        streams = started.ask("subscriptions/listen", listen, first)
        threads[1].start()
        assert wait(lambda: started.children)
        busy = wait(lambda: started.ask("tools/list", token=first).status_code == 429)
        other = started.ask("tools/list", token=second).status_code
        free = wait(lambda: started.ask("tools/list", token=first).status_code == 200)
    finally:
        started.stop()
        for thread in threads:
            thread.join(20)
        started.close()

    assert (busy, other, free) == (True, 200, True)
    assert (streams.status_code, "streams" in streams.text) == (429, True)


def running(server: Server, token: str) -> str:
    """How many requests run, this one included."""
    lines = server.http.get("/metrics", headers=bearer(token)).text.splitlines()
    return next(line for line in lines if line.startswith("daan_requests_running")).replace("daan_requests_", "")


def test_a_bucket_fills_again_and_is_forgotten_once_it_is_full() -> None:
    """What is remembered of callers does not grow without end."""
    now = [0.0]
    limits = Limits(Http(requests_per_minute=60, burst=2), lambda: now[0])
    for _ in range(2):
        limits.take("one")
    with pytest.raises(Limited) as caught:
        limits.take("one")
    now[0] = 1.0
    limits.take("one")
    with pytest.raises(Limited):
        limits.take("one")
    now[0] = 100.0
    for number in range(MOST + 1):
        limits.take(f"caller {number}")

    assert (caught.value.limit, caught.value.seconds) == ("rate", 1.0)
    assert ("one" in limits._buckets, len(limits._buckets)) == (False, MOST + 1)


def test_what_ran_is_counted_off_whatever_happens() -> None:
    """A request that fails must not hold its place for ever."""
    limits = Limits(Http(concurrency=1))
    with pytest.raises(ZeroDivisionError), limits.running("one", "concurrency"):
        raise ZeroDivisionError
    with limits.running("one", "concurrency"), limits.running("two", "concurrency"):
        with pytest.raises(Limited), limits.running("one", "concurrency"):
            pass
        with limits.running("one", "streams"):
            pass
    with limits.running("one", "concurrency"):
        pass

    assert not limits._running
