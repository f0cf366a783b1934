"""One session over lines: what is plain is answered here; everything else goes to the SDK, which is loaded for it."""

import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, BinaryIO, NamedTuple

from mcp_daan.server.front import plain
from mcp_daan.server.front.lists import LISTS, Lists, Said, dump
from mcp_daan.server.readers import Readers
from mcp_daan.stopping import Stop

Progress = Callable[[float, float | None, str], None]
Message = dict[str, Any]
# The id under which the SDK is told how the session was opened; the client has its answer already.
OPENING = "mcp-daan-opening"
CLOSED = '"error":{"code":-32000,"message":"Connection closed"}'
FAULT = '"error":{"code":-32603,"message":"The server failed; its log (stderr) says where."}'


class Behind(NamedTuple):
    """What stands behind a session: how a tool is called (None: a fault that was logged), and where the SDK reads."""

    call: Callable[[str, Mapping[str, Any], Stop, Progress], Said | None]
    warm: Callable[[], None]
    sdk: Callable[[], BinaryIO]


class Call:
    """A call under way."""

    def __init__(self, message: Message) -> None:
        self.key, self.id, self.params = plain.correlated(message["id"]), dump(message["id"]), message["params"]
        self.stop = Stop()


class Session:
    """What one client says on *lines*, and what is said to it with *write*; `ended` is set after the end of input."""

    def __init__(
        self, lines: BinaryIO, write: Callable[[str], None], lists: Lists, behind: Behind, *, aside: bool = False
    ) -> None:
        """*aside*: everything is the SDK's."""
        self._lines, self._write, self._lists, self._behind = lines, write, lists, behind
        self._lock = threading.Lock()
        self._opened: Message | None = None
        self._initialized = b""
        self._modern, self._aside = False, aside
        self._sdk: BinaryIO | None = None
        self._flying: list[Call] = []
        self.ended = threading.Event()
        self.readers = Readers(self._next, self._work, self._end)

    def _next(self) -> Call | None:
        """The next call; what else is read until then is answered."""
        while line := self._lines.readline():
            call = self._taken(line) if line.strip() else None
            if call is not None:
                with self._lock:
                    self._flying.append(call)
                return call
        return None

    def _taken(self, line: bytes) -> Call | None:
        message = plain.decoded(line)
        if message is not None and plain.is_notification(message):
            self._noticed(message, line)
        elif message is None or self._aside or not plain.is_request(message):
            self._pass_on(line)
        elif message["method"] == "initialize" and self._opened is not None:
            self._pass_on(line, aside=True)  # the SDK may begin anew; what holds then is its to know
        elif self._in_its_era(message):
            return self._answered(message, line)
        else:
            self._pass_on(line)
        return None

    def _in_its_era(self, message: Message) -> bool:
        if self._opened is None:
            if plain.opens(message):
                self._opened, self._modern = message, message["method"] != "initialize"
            return self._opened is not None
        params = message.get("params", {})
        return plain.has_envelope(params) if self._modern else plain.has_plain_meta(params)

    def _answered(self, message: Message, line: bytes) -> Call | None:
        method, params, result = message["method"], message.get("params", {}), None
        if method == "initialize":
            result = self._lists.initialized(params["protocolVersion"])
        elif method == "ping" and not self._modern:
            result = "{}"
        elif method == "server/discover" and self._modern:
            result = self._lists.discovered()
        elif method in LISTS and params.keys() <= {"_meta"}:
            result = self._lists.listed(method, modern=self._modern)
        elif method == "tools/call" and plain.is_call(params) and self._lists.offers(params["name"]):
            return Call(message)
        if result is None:
            self._pass_on(line)
        else:
            self._write(f'{{"jsonrpc":"2.0","id":{dump(message["id"])},"result":{result}}}\n')
            self._behind.warm()
        return None

    def _noticed(self, message: Message, line: bytes) -> None:
        if message["method"] == "notifications/cancelled":
            key = plain.correlated(message.get("params", {}).get("requestId"))
            with self._lock:
                call = next((each for each in reversed(self._flying) if each.key == key), None)
                if call is not None:
                    self._flying.remove(call)
            if call is not None:
                return call.stop.now()
        if message["method"] == "notifications/initialized":
            self._initialized = line
        if self._sdk is not None or self._opened is None:
            self._pass_on(line)
        return None

    def _pass_on(self, line: bytes, *, aside: bool = False) -> None:
        """Give *line* to the SDK, which is first told how the session was opened; *aside*: and everything after it."""
        self._aside |= aside or self._opened is None
        if self._sdk is None:
            self._sdk = self._behind.sdk()
            if self._opened is not None:
                told = {**self._opened, "id": OPENING}
                if self._modern:
                    told |= {"method": "server/discover", "params": {"_meta": told["params"]["_meta"]}}
                self._sdk.write(f"{dump(told)}\n".encode() + self._initialized)
        self._sdk.write(line)
        self._sdk.flush()

    def _work(self, call: Call) -> None:
        token = call.params.get("_meta", {}).get("progressToken")

        def progress(done: float, total: float | None, message: str) -> None:
            call.stop.check()
            if token is not None:
                told = {"progressToken": token, "progress": done, "total": total, "message": message}
                params = dump({key: value for key, value in told.items() if value is not None})
                self._write(f'{{"jsonrpc":"2.0","method":"notifications/progress","params":{params}}}\n')

        if not call.stop.stopped:
            said = self._behind.call(call.params["name"], call.params.get("arguments", {}), call.stop, progress)
            self._settle(call, FAULT if said is None else self._lists.answered(said, modern=self._modern))

    def _settle(self, call: Call, outcome: str) -> None:
        """Answer *call*, unless it was cancelled meanwhile."""
        with self._lock:
            if call not in self._flying:
                return
            self._flying.remove(call)
        self._write(f'{{"jsonrpc":"2.0","id":{call.id},{outcome}}}\n')

    def _end(self) -> None:
        """The client has gone: what it still waits for is ended."""
        with self._lock:
            left = list(self._flying)
        with suppress(OSError):
            for call in left:
                self._settle(call, CLOSED)
                call.stop.now()
            if self._sdk is not None:
                self._sdk.close()
        self.ended.set()
