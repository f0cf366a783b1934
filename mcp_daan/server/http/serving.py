"""Serve over HTTP: where, with how many processes, until told to stop."""

import logging
import os
import shutil
import signal
import socket
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from mcp_daan.app import App
from mcp_daan.errors import InvalidArguments, Refused, Unavailable
from mcp_daan.server.http.auth import Authentication
from mcp_daan.server.http.places import EVERYWHERE, Place, read_place, security
from mcp_daan.server.http.tokens import token_file
from mcp_daan.server.logs import log_to_stderr
from mcp_daan.server.switches import Switches

if TYPE_CHECKING:
    import uvicorn

MOST_WORKERS = 64
# Longer than a load balancer keeps a connection that is idle, so that it never sends into one that is being closed.
KEEP_ALIVE_SECONDS = 75
# How the processes that serve learn what was decided for all of them.
PLACE, METRICS, PARENT = "MCP_DAAN_PLACE", "MCP_DAAN_METRICS", "MCP_DAAN_PARENT"


def serve_http(app: App, switches: Switches, text: str, workers: int) -> int:
    """Serve at *text*, `HOST:PORT`, until SIGTERM or SIGINT; then let what runs come to its end.

    Raises InvalidArguments, Refused and Unavailable before anything was served.
    """
    if not 1 <= workers <= MOST_WORKERS:
        raise InvalidArguments("`--workers` is out of range.", advice=f"Give 1 to {MOST_WORKERS}.")
    place, kind = read_place(text), _kind(app)
    if not place.loopback and kind == "none":
        raise Refused(
            "Beyond this machine the server listens only with authentication.",
            advice="Make a token with `mcp-daan token create NAME --scope d1:read`, or set `[http] auth` to oauth.",
        )
    if kind in ("oauth", "both") and place.host in EVERYWHERE and not app.settings.http.public_url:
        raise InvalidArguments(
            "`[http] public_url` is not set, and no token can be meant for every address at once.",
            advice="Set it to the address that clients use, such as https://mcp.example.com/mcp.",
        )
    switches.offer()
    # What is set wrongly is told here, once, and not by each process.
    security(place, app.settings.http)
    Authentication(app.settings.http, app.workspace.root, place.url, app.environment)
    with _bound(place) as (bound, place), _metrics_folder(workers) as folder:
        _tell_the_processes(app, switches, place, kind, folder)
        log_to_stderr(app.redact)
        sys.stderr.write(f"mcp-daan: serving {place.url} (authentication: {kind}, processes: {workers})\n")
        sys.stderr.flush()
        _run(app.settings.http.stop_seconds, bound, workers)
    return 0


def _kind(app: App) -> str:
    """Which authentication: as set, else tokens if there are any. It is settled at the start: revoking the last token
    must not open the door."""
    settings = app.settings.http
    return settings.auth or ("tokens" if token_file(settings, app.workspace.root).grants() else "none")


@contextmanager
def _bound(place: Place) -> Iterator[tuple[socket.socket, Place]]:
    family = socket.AF_INET6 if ":" in place.host else socket.AF_INET
    # With its protocol named asyncio sends small packets at once; without, an answer in two parts waits for 40 ms.
    with socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listening:
        if os.name == "posix":
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((place.host, place.port))
        except OSError:
            raise Unavailable(
                "The server cannot listen there.", advice="The port may be taken, or the address not this machine's."
            ) from None
        listening.set_inheritable(True)
        yield listening, Place(place.host, listening.getsockname()[1])


@contextmanager
def _metrics_folder(workers: int) -> Iterator[Path | None]:
    if workers == 1:
        yield None
        return
    folder = Path(tempfile.mkdtemp(prefix="mcp-daan-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _tell_the_processes(app: App, switches: Switches, place: Place, kind: str, folder: Path | None) -> None:
    told = {
        "DAAN_WORKSPACE": str(app.workspace.root),
        "DAAN_HTTP_AUTH": kind,
        "DAAN_READ_ONLY": "true" if switches.read_only else None,
        "DAAN_TOOLS": switches.tools,
        "DAAN_EXCLUDE_TOOLS": switches.exclude_tools,
        "DAAN_TOOLSETS": switches.toolsets,
        PLACE: f"[{place.host}]:{place.port}",
        METRICS: str(folder) if folder else None,
        PARENT: str(os.getpid()) if folder else None,
    }
    for name, value in told.items():
        os.environ.pop(name, None)
        if value is not None:
            os.environ[name] = value


def _configured(stop_seconds: int, workers: int) -> "uvicorn.Config":
    import uvicorn

    return uvicorn.Config(
        "mcp_daan.server.http.worker:application",
        factory=True,
        http="mcp_daan.server.http.connections:Connection",
        workers=workers,
        log_config=None,
        # Its lines hold addresses with what stands behind the question mark.
        access_log=False,
        server_header=False,
        ws="none",
        lifespan="on",
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=stop_seconds,
    )


def _run(stop_seconds: int, listening: socket.socket, workers: int) -> None:
    import uvicorn
    from uvicorn.supervisors import Multiprocess

    config = _configured(stop_seconds, workers)
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    if workers > 1:
        Multiprocess(config, sockets=[listening]).run()
        return
    # uvicorn raises the signal again once all is done: that is a good end, not a death.
    signal.signal(signal.SIGTERM, _leave)
    uvicorn.Server(config).run(sockets=[listening])


def _leave(number: int, frame: object) -> NoReturn:
    raise SystemExit(0)
