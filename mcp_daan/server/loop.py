"""The SDK's loop over the lines that are passed on to it."""

import gc
from collections.abc import Callable, Sequence
from io import TextIOWrapper
from typing import Any, BinaryIO

import anyio
from mcp.server.stdio import stdio_server

from mcp_daan.app import App
from mcp_daan.server.build import make_server, options
from mcp_daan.server.offer import Offer
from mcp_daan.server.recording import recording
from mcp_daan.server.records import Sink


class _Out:
    """Where the SDK writes: what begins with *hidden* was answered before it was loaded."""

    def __init__(self, write: Callable[[str], None], hidden: str) -> None:
        self._write, self._hidden = write, hidden

    def write(self, text: str) -> None:
        if not text.startswith(self._hidden):
            self._write(text)

    def flush(self) -> None:
        """Every line went out at once."""


def run_loop(
    app: App, offer: Offer, sinks: Sequence[Sink], lines: BinaryIO, write: Callable[[str], None], opening: str
) -> None:
    """Serve what comes on *lines* until they end; the request with the id *opening* is not answered."""
    gc.freeze()  # the collector need not look again at what has been imported
    hidden = f'{{"jsonrpc":"2.0","id":"{opening}"'
    anyio.run(_serve, app, offer, sinks, TextIOWrapper(lines, encoding="utf-8", errors="replace"), _Out(write, hidden))


async def _serve(app: App, offer: Offer, sinks: Sequence[Sink], lines: Any, out: Any) -> None:
    server = make_server(app, offer, watches=[recording(offer, *sinks)] if sinks else [])
    async with stdio_server(anyio.wrap_file(lines), anyio.wrap_file(out)) as (incoming, outgoing):
        await server.run(incoming, outgoing, options(server))
