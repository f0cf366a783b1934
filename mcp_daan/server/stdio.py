"""MCP over stdin and stdout; logs go to stderr."""

import gc
import os
import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, BinaryIO

from mcp_daan.server.front.lists import Lists
from mcp_daan.server.front.session import Behind, Session
from mcp_daan.server.offer import Offer
from mcp_daan.server.served import Served
from mcp_daan.server.telemetry import export_spans, exporting

if TYPE_CHECKING:
    from mcp_daan.app import App


def serve(make_app: "Callable[[], App]", offer: Offer, environment: Mapping[str, str] = os.environ) -> None:
    """Serve one client until its end of input, then end the process.

    Raises InvalidArguments when spans are to be exported and the extra for it is absent.
    """
    stop_spans = export_spans(environment)
    threading.excepthook = _of_a_thread
    gc.disable()  # until what is imported has been: nearly all of it stays
    wire = Wire()
    served = Served(make_app, offer, wire.write)
    behind = Behind(served.call, served.warm, served.sdk)
    # A span for each request is the SDK's work.
    session = Session(wire.lines, wire.write, Lists(offer), behind, aside=exporting(environment))
    session.readers.begin()
    try:
        session.ended.wait()
    finally:
        stop_spans()
        served.close()
    served.leave()


def _of_a_thread(failed: threading.ExceptHookArgs) -> None:
    from mcp_daan.server.logs import of_a_thread  # not before something failed

    of_a_thread(failed)


class Wire:
    """The client's two ends, taken from everything else in the process: a stray print goes to stderr."""

    def __init__(self) -> None:
        self.lines: BinaryIO = os.fdopen(os.dup(0), "rb")
        self._out: BinaryIO = os.fdopen(os.dup(1), "wb")
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.close(nothing)
        os.dup2(2, 1)
        self._lock = threading.Lock()

    def write(self, line: str) -> None:
        """Send one line whole."""
        with self._lock:
            self._out.write(line.encode("utf-8", "replace"))
            self._out.flush()
