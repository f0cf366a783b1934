"""Serve over HTTP: where, with how many processes, until told to stop."""

from mcp_daan.app import App
from mcp_daan.errors import InvalidArguments
from mcp_daan.server.switches import Switches


def serve_http(app: App, switches: Switches, place: str, workers: int) -> int:
    """Serve at *place*, `HOST:PORT`."""
    raise InvalidArguments("Serving over HTTP is being built.", advice="Leave `--http` out.")
