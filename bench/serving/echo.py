"""The floor: the SDK's own server with one tool that gives back what it was given, without sessions."""

import os

from mcp.server import MCPServer
from starlette.applications import Starlette


def application() -> Starlette:
    """What uvicorn runs, in each of its processes."""
    server = MCPServer("echo", log_level="WARNING")

    @server.tool()
    async def echo(text: str) -> dict[str, str]:
        """Give *text* back."""
        return {"text": text}

    return server.streamable_http_app(stateless_http=True)


if __name__ == "__main__":
    import uvicorn

    uvicorn.run(
        "bench.serving.echo:application",
        factory=True,
        host="127.0.0.1",
        port=int(os.environ["PORT"]),
        workers=int(os.environ["WORKERS"]),
        log_level="warning",
        access_log=False,
    )
