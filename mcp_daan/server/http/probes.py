"""What probes ask: does the process live, and can it serve."""

import time

import anyio
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from mcp_daan.app import App
from mcp_daan.errors import DaanError
from mcp_daan.server.http.auth import Authentication

# Nobody has to show who it is for a probe, so it costs little however often it comes.
SECONDS = 1.0


class Probes:
    """Whether this process serves."""

    def __init__(self, app: App, authentication: Authentication) -> None:
        self._app, self._authentication = app, authentication
        self._looked, self._failing = float("-inf"), ["nothing was looked at"]
        self.draining = False

    async def health(self, request: Request) -> Response:
        """The process answers."""
        return JSONResponse({"status": "ok"})

    async def readiness(self, request: Request) -> Response:
        """The workspace, its settings and its documents can be read, and so can the tokens; it is not being stopped."""
        if time.monotonic() - self._looked > SECONDS:
            self._failing = await anyio.to_thread.run_sync(self._look)
            self._looked = time.monotonic()
        failing = ["stopping"] if self.draining else self._failing
        if failing:
            return JSONResponse({"status": "not ready", "failing": failing}, 503)
        return JSONResponse({"status": "ready"})

    def _look(self) -> list[str]:
        app = self._app.for_call()
        parts = {
            "workspace": lambda: app.workspace,
            "settings": lambda: app.settings,
            "knowledge": lambda: app.knowledge.files(),
            "tokens": self._authentication.check,
        }
        failing = []
        for name, look in parts.items():
            try:
                look()
            except (DaanError, OSError):
                failing.append(name)
        return failing
