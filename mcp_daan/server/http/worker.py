"""One process that serves, made from the environment alone: it may be one of several, started anew at any time."""

import gc
import os
from pathlib import Path

from starlette.types import ASGIApp

from mcp_daan.app import App
from mcp_daan.server.http.app import Web
from mcp_daan.server.http.places import read_place
from mcp_daan.server.http.serving import METRICS, PARENT, PLACE
from mcp_daan.server.logs import log_to_stderr
from mcp_daan.server.switches import Switches
from mcp_daan.tools import all_tools


def application() -> ASGIApp:
    """The application that uvicorn runs in this process."""
    app = App()
    log_to_stderr(app.redact)
    folder, parent = os.environ.get(METRICS), os.environ.get(PARENT)
    web = Web(
        app,
        Switches().over(os.environ).offer(),
        read_place(os.environ[PLACE]),
        os.environ,
        metrics_folder=Path(folder) if folder else None,
        parent=int(parent) if parent else None,
    )
    served = web.application()
    # A team's server is warm when it says that it is ready; what has been loaded stays for good.
    all_tools()
    gc.freeze()
    return served
