"""Which messages are plain: of a form that the SDK takes as it stands, so that its answer is known without it.

Each check is narrower than the SDK's own. Whatever does not pass is not refused: it goes to the SDK.
"""

import json
import math
from typing import Any

PREFIX = "io.modelcontextprotocol/"
VERSION, INFO, CAPABILITIES = f"{PREFIX}protocolVersion", f"{PREFIX}clientInfo", f"{PREFIX}clientCapabilities"
MODERN = "2026-07-28"
# What JavaScript counts exactly; a larger id may not come back as it went.
LARGEST = 2**53 - 1
# The SDK's reader gives up on a message that is nested deeper than about this.
BRACKETS = 100
SWITCHES = ("listChanged", "applyDefaults")
Message = dict[str, Any]


class _Odd(ValueError):
    """A number that readers of JSON do not agree on."""


def _no_number(text: str) -> float:
    raise _Odd


def _finite(text: str) -> float:
    return number if math.isfinite(number := float(text)) else _no_number(text)


_decode = json.JSONDecoder(parse_constant=_no_number, parse_float=_finite).decode


def decoded(line: bytes) -> Message | None:
    """The message on *line*; None where not every reader of JSON reads the same."""
    # A carriage return ends a line for the SDK; half a pair of surrogates is no text for it.
    if b"\r" in line or line.count(b"{") + line.count(b"[") > BRACKETS or (b"\\u" in line and b"\\ud" in line.lower()):
        return None
    try:
        message = _decode(line.decode())
    except (ValueError, RecursionError):
        return None
    return message if isinstance(message, dict) and message.get("jsonrpc") == "2.0" else None


def is_notification(message: Message) -> bool:
    """Whether *message* asks for no answer."""
    named, params = isinstance(message.get("method"), str), message.get("params", {})
    return message.keys() <= {"jsonrpc", "method", "params"} and named and isinstance(params, dict)


def is_request(message: Message) -> bool:
    """Whether *message* is a request with an object of parameters, or none."""
    rest = {key: value for key, value in message.items() if key != "id"}
    return _token(message.get("id")) and is_notification(rest)


def opens(message: Message) -> bool:
    """Whether *message* is a plain first request: an `initialize`, or any with the envelope of 2026-07-28."""
    params = message.get("params", {})
    if message["method"] != "initialize":
        return has_envelope(params)
    return (
        params.keys() == {"protocolVersion", "capabilities", "clientInfo"}
        and isinstance(params["protocolVersion"], str)
        and _capable(params["capabilities"])
        and _implementation(params["clientInfo"])
    )


def has_envelope(params: Message) -> bool:
    """Whether a request of 2026-07-28 tells who asks, and nothing else of the protocol."""
    meta = params.get("_meta")
    if not isinstance(meta, dict) or meta.get(VERSION) != MODERN or not _capable(meta.get(CAPABILITIES)):
        return False
    known = INFO not in meta or _implementation(meta[INFO])
    return known and _free({key: value for key, value in meta.items() if key not in (VERSION, INFO, CAPABILITIES)})


def has_plain_meta(params: Message) -> bool:
    """Whether a request of before has nothing in `_meta` but a token for progress and what is not the protocol's."""
    return "_meta" not in params or (isinstance(params["_meta"], dict) and _free(params["_meta"]))


def is_call(params: Message) -> bool:
    """Whether these are the parameters of `tools/call`."""
    named, arguments = isinstance(params.get("name"), str), params.get("arguments", {})
    return params.keys() <= {"name", "arguments", "_meta"} and named and isinstance(arguments, dict)


def correlated(number: object) -> object:
    """A request's id as the SDK compares it: "7" and 7 are one; None for what is no id."""
    if not isinstance(number, str):
        return number if type(number) is int else None
    try:
        return int(number)
    except ValueError:
        return number


def _token(value: object) -> bool:
    return isinstance(value, str) or (type(value) is int and abs(value) <= LARGEST)


def _free(meta: Message) -> bool:
    named = not any(key.startswith(PREFIX) for key in meta)
    return named and ("progressToken" not in meta or _token(meta["progressToken"]))


def _implementation(value: object) -> bool:
    known = {"name", "version", "title", "description", "websiteUrl"}
    return (
        isinstance(value, dict)
        and {"name", "version"} <= value.keys() <= known
        and all(isinstance(each, str) for each in value.values())
    )


def _capable(value: object) -> bool:
    known = {"roots", "sampling", "elicitation", "experimental", "extensions", "tasks"}
    return isinstance(value, dict) and value.keys() <= known and all(_objects(each) for each in value.values())


def _objects(value: object) -> bool:
    """Whether *value* is an object of objects, all the way down, but for switches that are true or false."""
    return isinstance(value, dict) and all(
        isinstance(each, bool) if key in SWITCHES else _objects(each) for key, each in value.items()
    )
