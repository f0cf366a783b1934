"""What is plain, and what is left to the SDK."""

import json
from typing import Any

import pytest

from mcp_daan.server.front import plain
from tests.front.sessions import PREFIX, SCHEMA, initialize, line, meta
from tests.oracle import MODERN


def parsed(raw: bytes) -> dict[str, Any]:
    message = plain.decoded(raw)
    assert message is not None
    return message


@pytest.mark.parametrize(
    "raw",
    [
        b"{",
        b"[]",
        b'{"jsonrpc":"1.0"}',
        b'{"jsonrpc":"2.0","id":NaN}',
        b'{"jsonrpc":"2.0","id":1e999}',
        b'{"jsonrpc":"2.0","id":"\\uD83d"}',
        b'{"jsonrpc":"2.0",\r"id":1}',
        b'{"jsonrpc":"2.0","id":"\xff"}',
        b'{"jsonrpc":"2.0","id":' + b"[" * 101 + b"]" * 101 + b"}",
    ],
)
def test_what_readers_of_json_do_not_agree_on_is_not_decoded(raw: bytes) -> None:
    """The SDK's reader judges it."""
    assert plain.decoded(raw) is None


@pytest.mark.parametrize("id", [None, True, 1.5, 2**53, [], {}])
def test_a_request_has_an_id_that_comes_back_as_it_went(id: Any) -> None:
    """A whole number that JavaScript counts exactly, or a text."""
    assert not plain.is_request({"jsonrpc": "2.0", "id": id, "method": "x"})


@pytest.mark.parametrize(
    "params",
    [
        {"capabilities": {"unknown": {}}},
        {"capabilities": {"roots": {"listChanged": {}}}},
        {"capabilities": {"roots": {"x": 1}}},
        {"capabilities": {"roots": None}},
        {"clientInfo": {"name": "x"}},
        {"clientInfo": {"name": "x", "version": 1}},
        {"clientInfo": {"name": "x", "version": "1", "icons": []}},
        {"protocolVersion": 1},
        {"_meta": {}},
    ],
)
def test_an_opening_that_is_odd_is_not_plain(params: dict[str, Any]) -> None:
    """From there on the session is the SDK's."""
    assert not plain.opens(
        parsed(initialize(**{"version": "2025-06-18", **params} if "protocolVersion" not in params else {"version": 1}))
    )


@pytest.mark.parametrize(
    "changed",
    [
        {f"{PREFIX}protocolVersion": "2027-01-01"},
        {f"{PREFIX}clientCapabilities": []},
        {f"{PREFIX}clientInfo": {}},
        {f"{PREFIX}logLevel": "info"},
        {"progressToken": True},
        {"progressToken": 1.5},
    ],
)
def test_an_envelope_that_is_odd_is_not_plain(changed: dict[str, Any]) -> None:
    """Neither are the protocol's own keys on a session of before."""
    assert plain.has_envelope(meta())
    assert not plain.has_envelope(meta(**changed))
    assert not plain.has_plain_meta({"_meta": {**changed, f"{PREFIX}x": 1}})


@pytest.mark.parametrize("params", [{"name": 1}, {"name": "x", "arguments": None}, {"name": "x", "task": {}}, {}])
def test_a_call_that_is_odd_is_not_plain(params: dict[str, Any]) -> None:
    """A name, an object of arguments, and nothing else."""
    assert plain.is_call({**SCHEMA, "_meta": MODERN})
    assert not plain.is_call(params)


def test_messages_of_clients_as_they_are_are_plain() -> None:
    """Claude Code, VS Code and the SDKs say this much of themselves."""
    capable = {"roots": {"listChanged": True}, "sampling": {}, "elicitation": {"form": {}, "url": {}}}
    tasks = {"tasks": {"list": {}, "cancel": {}, "requests": {"sampling": {"createMessage": {}}}}}

    assert plain.opens(parsed(initialize(capabilities={**capable, **tasks})))
    assert plain.opens(parsed(line("tools/list", 0, meta(**{f"{PREFIX}clientCapabilities": capable}))))
    assert json.dumps(plain.decoded(b'{"jsonrpc":"2.0","id":"\\u00e9"}')) == '{"jsonrpc": "2.0", "id": "\\u00e9"}'
