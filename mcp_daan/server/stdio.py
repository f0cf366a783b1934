"""MCP over stdin and stdout; logs go to stderr."""

import gc
import logging
import sys

import anyio
from mcp.server.stdio import stdio_server

from mcp_daan.app import App
from mcp_daan.server.build import make_server, options
from mcp_daan.server.offer import Offer


def serve(app: App, offer: Offer) -> None:
    """Serve one client until its end of input."""
    logging.basicConfig(
        stream=sys.stderr, level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    # What has been imported stays for good; the collector need not look at it again.
    gc.freeze()
    try:
        anyio.run(_serve, app, offer)
    finally:
        app.close()


async def _serve(app: App, offer: Offer) -> None:
    server = make_server(app, offer)
    async with stdio_server() as (incoming, outgoing):
        await server.run(incoming, outgoing, options(server))
