"""MCP over stdin and stdout; logs go to stderr."""

import gc
import logging
import os
import sys
import threading
import time

import anyio
from mcp.server.stdio import stdio_server

from mcp_daan.app import App
from mcp_daan.server.build import make_server, options
from mcp_daan.server.offer import Offer

log = logging.getLogger("mcp_daan")

GRACE_SECONDS = 1.0


def serve(app: App, offer: Offer) -> None:
    """Serve one client until its end of input, then end the process."""
    logging.basicConfig(
        stream=sys.stderr, level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    # What has been imported stays for good; the collector need not look at it again.
    gc.freeze()
    try:
        anyio.run(_serve, app, offer)
    finally:
        app.close()
    _leave()


def _leave() -> None:
    """Give what is being written a moment; a call that cannot be stopped would hold the process for as long as it takes."""
    deadline = time.monotonic() + GRACE_SECONDS
    for thread in threading.enumerate():
        if thread is not threading.current_thread() and not thread.daemon:
            thread.join(max(deadline - time.monotonic(), 0))
            if thread.is_alive():
                log.warning("The client has gone; a call that still runs is left.")
                logging.shutdown()
                os._exit(0)


async def _serve(app: App, offer: Offer) -> None:
    server = make_server(app, offer)
    async with stdio_server() as (incoming, outgoing):
        await server.run(incoming, outgoing, options(server))
