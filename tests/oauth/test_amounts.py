"""However much a server sends and however long it takes, the checks end."""

import gzip
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from mcp_daan.stopping import Stop, current
from mcp_daan.tokens.oauth import fetching
from mcp_daan.tokens.oauth.fetching import BODY_BYTES, MEANING, meaning
from tests.oauth.conftest import check, observed, statuses
from tests.oauth.portal import JSON, Portal, Reply, document, protected

METADATA = "/.well-known/oauth-protected-resource/mcp"
SERVER = "/.well-known/oauth-authorization-server"


def test_an_endless_body_is_cut(portal: Portal, workspace: Path) -> None:
    """No more is read than is looked at."""

    def endless() -> Iterator[bytes]:
        while True:
            yield b" " * 65536

    portal.routes[METADATA] = Reply(200, JSON, endless)

    answer = check(workspace, portal.resource)

    assert statuses(answer)["PRM-200"] == "fail"
    assert "did not end within the limits" in observed(answer, "RS-RM-ALIVE")
    assert portal.sent < 16_000_000


def test_a_body_of_just_the_limit_is_read_and_one_more_byte_is_not(portal: Portal, workspace: Path) -> None:
    """The limit is a limit."""
    found = []
    for size in (BODY_BYTES, BODY_BYTES + 1):
        body = document(protected(portal.origin)).body
        assert isinstance(body, bytes)
        portal.routes[METADATA] = Reply(200, JSON, body + b" " * (size - len(body)))
        found.append(statuses(check(workspace, portal.resource))["PRM-200"])

    assert found == ["pass", "fail"]


def test_a_compressed_body_is_not_unpacked(portal: Portal, workspace: Path) -> None:
    """A few bytes could become gigabytes."""
    body = gzip.compress(b" " * 50_000_000 + b"{}")
    portal.routes[METADATA] = Reply(200, {**JSON, "Content-Encoding": "gzip"}, body)

    answer = check(workspace, portal.resource)

    assert "compressed" in observed(answer, "RS-RM-ALIVE")


@pytest.mark.parametrize("where", ["body", "all bodies"])
def test_a_slow_drip_is_cut(portal: Portal, workspace: Path, where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A byte now and then keeps no request alive past its time."""
    monkeypatch.setattr(fetching, "BODY_SECONDS", 0.2)

    def drip() -> Iterator[bytes]:
        while not portal.ended.wait(0.03):
            yield b" "

    slow = Reply(200, JSON, drip)
    if where == "body":
        portal.routes[METADATA] = slow
    else:
        portal.routes, portal.otherwise = {}, slow
    started = time.monotonic()

    answer = check(workspace, portal.resource)

    assert time.monotonic() - started < 5
    assert statuses(answer)["PRM-200"] == "fail"


def test_headers_that_do_not_come_are_not_waited_for(
    portal: Portal, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The whole run has an end too: what it has no time for is blocked, and the answer is partial."""
    monkeypatch.setattr(fetching, "FETCH_SECONDS", 0.3)
    (workspace / "daan.toml").write_text("[limits]\nrequest_seconds = 0.3\n")
    portal.routes, portal.otherwise = {"/mcp": Reply(401)}, portal.hang
    started = time.monotonic()

    answer = check(workspace, portal.resource)

    assert time.monotonic() - started < 3
    assert (answer.status, statuses(answer)["RS-401"], statuses(answer)["AS-META"]) == ("partial", "pass", "blocked")
    assert "no answer: no time was left for it" in {each["observed"] for each in answer.data["checks"]}


def test_a_portal_that_never_answers_is_unavailable(
    portal: Portal, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A list of fifty things that could not be looked at is no answer."""
    monkeypatch.setattr(fetching, "FETCH_SECONDS", 0.1)
    portal.silent = True

    answer = check(workspace, portal.resource)

    assert answer.error is not None
    assert (answer.error.code, answer.summary) == ("unavailable", "The portal gives no answer: it was too slow.")


def test_a_call_that_was_cancelled_ends_at_once(portal: Portal, workspace: Path) -> None:
    """Nothing is asked on behalf of somebody who has gone."""
    portal.silent = True
    stop = Stop()
    canceller = threading.Thread(target=lambda: portal.reached.wait(10) and stop.now())
    token = current.set(stop)
    canceller.start()
    started = time.monotonic()
    answer = check(workspace, portal.resource)
    current.reset(token)
    canceller.join()

    assert answer.error is not None
    assert (answer.error.code, answer.summary) == ("unavailable", "The call was cancelled.")
    assert time.monotonic() - started < fetching.FETCH_SECONDS
    assert len(portal.asked) == 1


def test_every_failure_of_the_client_has_a_meaning() -> None:
    """No word of the library reaches the answer."""
    kinds: list[type[httpx2.TransportError]] = [httpx2.TransportError]
    for kind in kinds:
        kinds += kind.__subclasses__()
    words = {told for _, told in MEANING.values()}

    assert len(kinds) > 10
    assert [kind for kind in kinds if meaning(kind("a secret"))[1] not in words] == []
