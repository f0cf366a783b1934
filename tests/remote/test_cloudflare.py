"""Cloudflare's API as it is on a bad day: each failure told apart, nothing sent twice in vain, no token shown."""

import copy
import json
import pickle
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from email.utils import formatdate
from typing import Any

import pytest

from mcp_daan import cloudflare
from mcp_daan.cloudflare import Cloudflare, path
from mcp_daan.config import Limits
from mcp_daan.envelopes import KINDS
from mcp_daan.errors import DaanError, InvalidArguments, RejectedCredentials, TooSlow

from .adverse import Adverse, Reply, broken, dripping, http, silent

TOKEN = "canary-token-0123456789abcdefghijklmnopqrstu"
GOOD = json.dumps({"success": True, "errors": [], "messages": [], "result": [1, 2**60]})
LIMITS = Limits(connect_seconds=1, request_seconds=5)


def refused(code: int, message: str = "canary words of the server") -> str:
    """An envelope that tells of a failure."""
    return json.dumps(
        {"success": False, "errors": [{"code": code, "message": message}], "messages": [], "result": None}
    )


class Seen:
    """A client of an adverse server."""

    def __init__(self, server: Adverse) -> None:
        self.server = server
        self.client = Cloudflare(TOKEN, account_id="acc", base=server.base, limits=LIMITS)

    def fails(self, *, seconds: float | None = None) -> DaanError:
        """The failure of one read."""
        with pytest.raises(DaanError) as caught:
            self.client.read("/accounts/acc/d1/database/x/raw", {"sql": "SELECT 1"}, seconds=seconds)
        error: DaanError = caught.value
        return error


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pauses that are doubled from little on."""
    monkeypatch.setattr(cloudflare, "FIRST_PAUSE_SECONDS", 0.01)


@pytest.fixture
def meeting() -> Iterator[Callable[..., Seen]]:
    """Makes a server with the given replies, and a client that meets it."""
    made: list[Seen] = []

    def meet(*replies: Reply) -> Seen:
        made.append(Seen(Adverse(*replies)))
        return made[-1]

    yield meet
    for each in made:
        each.client.close()
        each.server.end()


FAILURES = [
    (http(400, refused(7500, "near x: syntax error: SQLITE_ERROR")), "statement", 1),
    (http(400, refused(7500, "Your account has exceeded D1's free tier daily row read limit.")), "quota", 1),
    (http(429, refused(7500, "Your account has exceeded D1's free tier daily row read limit.")), "quota", 1),
    (http(400, refused(7500, "D1 DB is overloaded. Requests queued for too long.")), "overloaded", 5),
    (
        http(400, refused(7500, "D1 DB storage operation exceeded timeout which caused object to be reset.")),
        "exhausted",
        1,
    ),
    (http(400, refused(7500, "Network connection lost.")), "transient", 5),
    (http(400, refused(7500, "Serialized RPC arguments or return values are limited to 32MiB")), "too_large", 1),
    (http(400, refused(7500, "internal error; reference = abc")), "internal", 1),
    (http(400, refused(7400, "Invalid property: databaseId => Invalid uuid")), "bad_id", 1),
    (http(403, refused(7403, "The given account is not valid or is not authorized")), "wrong_account", 2),
    (http(404, refused(7404, "The database x could not be found")), "not_found", 1),
    (http(403, refused(10000, "Authentication error")), "missing_scope", 1),
    (http(403, refused(9109, "Unauthorized to access requested resource")), "missing_scope", 1),
    (http(400, refused(9106, "Authentication failed (status: 400)")), "bad_token", 1),
    (http(401, refused(1000, "Invalid API Token")), "bad_token", 1),
    (http(400, refused(6003, "Invalid request headers")), "bad_token", 1),
    (http(418, refused(12345)), "rejected", 1),
    (http(429, refused(971, "rate limited")), "overloaded", 5),
    (http(500, refused(12345)), "transient", 5),
    (http(503, "<html>busy</html>", content_type="text/html"), "transient", 5),
    (http(502), "transient", 5),
    (http(200, "<!doctype html><p>Sign in", content_type="text/html"), "html", 1),
    (http(403, "<html>Just a moment", content_type="text/html"), "html", 1),
    (http(302, location="http://127.0.0.1:9/elsewhere"), "redirect", 1),
    (http(307, location="https://example.test/"), "redirect", 1),
    (http(200, "not json"), "malformed", 1),
    (http(200, "[]"), "malformed", 1),
    (http(200, '{"result": []}'), "malformed", 1),
    (http(200, "[" * 200_000), "malformed", 1),
    (http(200, b"\xff\xfe"), "malformed", 1),
    (http(200, '{"success": true, "result": NaN}'), "malformed", 1),
    (http(200, '{"success": true, "result": [' + "[]," * 2_000_001 + "[]]}"), "too_large", 1),
    (http(200, '{"success": true, "result": ' + "9" * 5000 + "}"), "malformed", 1),
    (http(200, refused(7404)), "not_found", 1),
    (http(200, GOOD, length=len(GOOD) + 10), "cut", 5),
    (broken, "cut", 5),
    (lambda connection: connection.sendall(b"SSH-2.0-OpenSSH_9.2\r\n"), "cut", 5),
]


@pytest.mark.parametrize(("reply", "kind", "times"), FAILURES)
def test_each_failure_has_its_own_words_and_only_what_passes_is_asked_again(
    meeting: Callable[..., Seen], reply: Reply, kind: str, times: int
) -> None:
    """One table of kinds; what the server said stands in none of its words, nor does the token."""
    met = meeting(reply)
    error = met.fails()
    told = "".join(traceback.format_exception(error)) + repr(error) + repr(error.upstream) + error.advice

    assert (error.message, type(error)) == (KINDS[kind].message, KINDS[kind].failure)
    assert len(met.server.requests) == times
    assert "canary" not in told


def test_every_kind_has_a_test() -> None:
    """But those that need a clock, a closed port or a large answer, which stand below."""
    assert KINDS.keys() - {kind for _, kind, _ in FAILURES} == {"unreachable", "timeout", "closed"}


def test_numbers_come_whole(meeting: Callable[..., Seen]) -> None:
    """JSON's integers have no bound here."""
    assert meeting(http(200, GOOD)).client.get("/x").result == [1, 2**60]


def test_what_passes_is_forgotten_when_the_next_answer_is_good(meeting: Callable[..., Seen]) -> None:
    """A 503, a lost connection and a 7403 that was none."""
    met = meeting(http(503), broken, http(403, refused(7403)), http(200, GOOD))

    assert met.client.get("/x").result == [1, 2**60]
    assert len(met.server.requests) == 4


@pytest.mark.parametrize("header", [{"retry_after": "1"}, {"ratelimit": '"default";r=0;t=1'}])
def test_a_pause_that_cloudflare_asks_for_is_kept(meeting: Callable[..., Seen], header: dict[str, str]) -> None:
    """Retry-After, or the seconds in Ratelimit."""
    met = meeting(http(429, refused(971), **header), http(200, GOOD))
    started = time.monotonic()

    assert met.client.get("/x").result == [1, 2**60]
    assert 1 <= time.monotonic() - started < 3


@pytest.mark.parametrize("after", ["8", formatdate(time.time() + 3600, usegmt=True)], ids=["seconds", "date"])
def test_a_pause_beyond_the_deadline_fails_at_once_and_holds_for_every_call(
    meeting: Callable[..., Seen], after: str
) -> None:
    """Nobody waits, and nobody knocks again before the time."""
    met = meeting(http(429, refused(971), retry_after=after))
    started = time.monotonic()
    errors = [met.fails(), met.fails()]

    assert time.monotonic() - started < 1
    assert [each.message for each in errors] == [KINDS["overloaded"].message] * 2
    assert all("seconds" in each.advice for each in errors)
    assert len(met.server.requests) == 1


@pytest.mark.parametrize("after", ["never", "-5", "9" * 30, "Thu, 99 Foo", ""])
def test_an_odd_pause_is_no_pause(meeting: Callable[..., Seen], after: str) -> None:
    """The usual one is taken."""
    met = meeting(http(429, refused(971), retry_after=after), http(200, GOOD))

    assert met.client.get("/x").result == [1, 2**60]


@pytest.mark.parametrize("reply", [silent, dripping(head=True), dripping(head=False)])
def test_whatever_drips_or_is_silent_ends_at_the_deadline(meeting: Callable[..., Seen], reply: Reply) -> None:
    """The sum of all waits is bounded, not each of them; and it is not asked again."""
    met = meeting(reply)
    started = time.monotonic()
    error = met.fails(seconds=0.6)

    assert time.monotonic() - started < 1.6
    assert (type(error), error.message) == (TooSlow, KINDS["timeout"].message)
    assert len(met.server.requests) == 1


def test_nobody_at_the_address_is_told_soon() -> None:
    """A closed port fails within the connect timeout."""
    server = Adverse(broken)
    base = server.base
    server.end()
    client = Cloudflare(TOKEN, account_id="acc", base=base, limits=LIMITS)
    started = time.monotonic()
    with pytest.raises(DaanError) as caught:
        client.get("/x")
    client.close()

    assert caught.value.message == KINDS["unreachable"].message
    assert time.monotonic() - started < 2


def test_a_huge_body_is_read_no_further_than_may_be(meeting: Callable[..., Seen]) -> None:
    """Sixteen megabytes, then it is dropped, whatever length is told."""
    sent: list[int] = []

    def pour(connection: Any) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n")
        for _ in range(300):
            connection.sendall(b" " * (1 << 20))
            sent.append(1)

    error = meeting(pour).fails()

    assert error.message == KINDS["too_large"].message
    assert sum(sent) < 64


def test_a_body_that_swells_is_not_unpacked(meeting: Callable[..., Seen]) -> None:
    """No compression is asked for, and what comes compressed is no JSON."""
    import gzip

    met = meeting(http(200, gzip.compress(b" " * 10_000_000), content_encoding="gzip"))

    assert met.fails().message == KINDS["malformed"].message
    assert b"accept-encoding: identity" in met.server.requests[0].lower()


def test_the_token_never_reaches_another_host(meeting: Callable[..., Seen]) -> None:
    """A redirect is an answer, not an order."""
    other = meeting(http(200, GOOD))
    for status in (301, 302, 303, 307, 308):
        met = meeting(http(status, location=other.server.base + "/stolen"))
        met.fails()

        assert f"Bearer {TOKEN}".encode() in met.server.requests[0]
    assert other.server.requests == []


def test_no_proxy_sees_the_token_in_the_clear(meeting: Callable[..., Seen], monkeypatch: pytest.MonkeyPatch) -> None:
    """What stays on this machine goes by none."""
    proxy = meeting(http(200, GOOD)).server
    address = proxy.base.removesuffix("/client/v4")
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, address)
    met = meeting(http(200, GOOD))
    met.client.get("/x")

    assert (len(met.server.requests), proxy.requests) == (1, [])


def test_nothing_shows_the_token() -> None:
    """No repr, no copy on disk, no attribute that a dump would print."""
    client = Cloudflare(TOKEN, account_id="acc")

    assert TOKEN not in repr(client) + str(client) + repr([client])
    with pytest.raises(TypeError):
        pickle.dumps(client)
    with pytest.raises(TypeError):
        copy.deepcopy(client)
    client.close()


@pytest.mark.parametrize("token", ["", "two words", "line\nbreak", "né", "x\0y"])
def test_a_token_that_no_header_can_carry_is_refused_unsent_and_unshown(token: str) -> None:
    """The failure names the variable, not its value."""
    with pytest.raises(RejectedCredentials) as caught:
        Cloudflare(token)

    assert not token or token not in caught.value.message + caught.value.advice


BASES = ["http://api.test/v4", "ftp://127.0.0.1", "https://", "api.cloudflare.com", "https://u:p@x.test", "http://[::1"]


@pytest.mark.parametrize(
    "base", [*BASES, "https://x.test/?a=b", "http://127.0.0.1.evil.test/", "https://x.test:99999999"]
)
def test_the_token_is_sent_to_no_address_in_the_clear(base: str) -> None:
    """https, or this machine."""
    with pytest.raises(InvalidArguments):
        Cloudflare(TOKEN, base=base)


def test_parts_of_a_path_stay_parts() -> None:
    """An id with a slash or a question mark leads nowhere else; dots are refused."""
    assert path("accounts", "a/../b", "x?y#z") == "/accounts/a%2F..%2Fb/x%3Fy%23z"
    for part in ("..", ".", ""):
        with pytest.raises(InvalidArguments):
            path("accounts", part)


def pages(*answers: Any) -> list[Reply]:
    """Answers of a list, each (result, result_info)."""
    return [http(200, json.dumps({"success": True, "result": result, "result_info": info})) for result, info in answers]


LISTS: list[tuple[list[Any], list[int], int]] = [
    ([([1, 2], {"page": 1, "total_count": 3}), ([3], {"page": 2, "total_count": 3})], [1, 2, 3], 2),
    ([([1, 2], {"cursor": "c"}), ([3], {"cursor": ""})], [1, 2, 3], 2),
    ([([1, 2], {"cursors": {"after": "c"}}), ([3], {"cursors": {}})], [1, 2, 3], 2),
    ([([1, 2], {"page": 1, "total_count": 99})], [1, 2], 2),  # pages are ignored: the same again
    ([([1, 2], {"total_pages": 5}), ([], {"total_pages": 5})], [1, 2], 2),
    ([([1, 2, 3, 4, 5, 6], None)], [1, 2, 3, 4, 5], 1),
    ([([1, 2], "what")], [1, 2], 1),
]


@pytest.mark.parametrize(("answers", "expected", "times"), LISTS)
def test_a_list_is_followed_to_its_end_and_never_for_ever(
    meeting: Callable[..., Seen], answers: list[Any], expected: list[int], times: int
) -> None:
    """By page or cursor, up to the limit, and not beyond what repeats itself."""
    met = meeting(*pages(*answers))

    assert met.client.listed("/x", {"per_page": 2}, limit=5) == expected
    assert len(met.server.requests) == times


def test_bytes_come_as_they_are_and_cut(meeting: Callable[..., Seen]) -> None:
    """Up to as many as asked for, with their headers."""
    met = meeting(http(200, b"\x00\xff" * 50, x_kept="yes"))
    found = [met.client.content("/x", max_bytes=size) for size in (100, 99)]

    assert [(len(each.data), each.cut) for each in found] == [(100, False), (99, True)]
    assert found[0].headers["x-kept"] == "yes"


def test_closing_ends_what_is_under_way(meeting: Callable[..., Seen]) -> None:
    """Whoever waits is told, and nothing is asked after."""
    met = meeting(silent)
    errors: list[DaanError] = []
    thread = threading.Thread(target=lambda: errors.append(met.fails(seconds=30)))
    thread.start()
    while not met.server.requests:
        thread.join(0.01)
    met.client.close()
    thread.join(5)

    assert [error.message for error in errors] == [KINDS["closed"].message]
    assert met.fails().message == KINDS["closed"].message
