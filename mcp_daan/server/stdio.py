"""MCP over stdin and stdout; logs go to stderr."""

import gc
import logging
import os
import threading
import time
from collections.abc import Sequence

import anyio
from mcp.server.stdio import stdio_server

from mcp_daan.app import App
from mcp_daan.errors import DaanError
from mcp_daan.server.build import Watch, make_server, options
from mcp_daan.server.logs import log_to_stderr
from mcp_daan.server.offer import Offer
from mcp_daan.server.telemetry import export_spans

log = logging.getLogger("mcp_daan")

GRACE_SECONDS = 1.0


def serve(app: App, offer: Offer) -> None:
    """Serve one client until its end of input, then end the process."""
    log_to_stderr(app.redact)
    # What has been imported stays for good; the collector need not look at it again.
    gc.freeze()
    stop_spans = export_spans(app.environment)
    try:
        anyio.run(_serve, app, offer, _watches(app, offer))
    finally:
        stop_spans()
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


def _watches(app: App, offer: Offer) -> list[Watch]:
    """The audit, where one is set; over stdio there is none otherwise."""
    try:
        settings, root = app.settings.audit, app.workspace.root
    except DaanError as error:  # the calls say it too, and the server goes on: see App
        log.warning("%s Nothing is audited until the server is started again.", error.message)
        return []
    if settings.file is None:
        return []
    from mcp_daan.server.audit import audit_to
    from mcp_daan.server.records import recording

    return [recording(offer, audit_to(settings, root, app.redact))]


async def _serve(app: App, offer: Offer, watches: Sequence[Watch]) -> None:
    server = make_server(app, offer, watches=watches)
    async with stdio_server() as (incoming, outgoing):
        await server.run(incoming, outgoing, options(server))
