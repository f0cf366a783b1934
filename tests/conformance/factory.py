"""The project's own application over HTTP, with the conformance suite's fixtures in it: only for tests.

`python -m tests.conformance.factory WORKSPACE` serves it at a free port, and says where.
"""

import logging
import os
import signal
import socket
import sys
import warnings
from typing import Any

import uvicorn
from mcp.server.lowlevel import Server
from mcp.server.streamable_http import EventStore

from mcp_daan.app import App
from mcp_daan.server.callers import Caller
from mcp_daan.server.http.app import Web
from mcp_daan.server.http.places import Place
from mcp_daan.server.offer import Offer
from tests.conformance.fixtures import add_fixtures


class Events(EventStore):
    """What was sent on each stream, for clients that come back."""

    def __init__(self) -> None:
        self.events: list[tuple[str, Any]] = []

    async def store_event(self, stream_id: str, message: Any) -> str:
        self.events.append((stream_id, message))
        return str(len(self.events) - 1)

    async def replay_events_after(self, last_event_id: str, send_callback: Any) -> str | None:
        from mcp.server.streamable_http import EventMessage

        stream = self.events[int(last_event_id)][0]
        for number, (each, message) in enumerate(self.events):
            if each == stream and number > int(last_event_id) and message is not None:
                await send_callback(EventMessage(message, str(number)))
        return stream


def served(workspace: str, port: int) -> Any:
    """The application: ours with sessions, since some scenarios ask the client back on the stream of a session."""
    web = Web(App(workspace), Offer(), Place("127.0.0.1", port), os.environ, sessions=True)

    def fit(server: Server[Caller]) -> None:
        add_fixtures(server, web._open[0])

    web.fit = fit
    application = web.application()
    web._manager.event_store, web._manager.retry_interval = Events(), 100
    return application


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    listening = socket.create_server(("127.0.0.1", 0))
    port = listening.getsockname()[1]
    sys.stderr.write(f"http://127.0.0.1:{port}/mcp\n")
    sys.stderr.flush()
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(0))
    uvicorn.Server(uvicorn.Config(served(sys.argv[1], port), log_config=None, access_log=False)).run([listening])
