"""The floor: the SDK's own server with one tool that gives back what it was given, without sessions."""

import os
import socket

import uvicorn
from mcp.server import MCPServer
from starlette.applications import Starlette
from uvicorn.supervisors import Multiprocess


def application() -> Starlette:
    """What uvicorn runs, in each of its processes."""
    server = MCPServer("echo", log_level="WARNING")

    @server.tool()
    async def echo(text: str) -> dict[str, str]:
        """Give *text* back."""
        return {"text": text}

    return server.streamable_http_app(stateless_http=True)


def listening(port: int) -> socket.socket:
    """A socket as good as ours: bound by uvicorn for several processes, it would wait 40 ms with half of each answer."""
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.bind(("127.0.0.1", port))
    bound.set_inheritable(True)
    return bound


def main() -> None:
    """Serve with as many processes as the environment says."""
    workers = int(os.environ["WORKERS"])
    config = uvicorn.Config(
        "bench.serving.echo:application", factory=True, workers=workers, log_level="warning", access_log=False
    )
    sockets = [listening(int(os.environ["PORT"]))]
    if workers > 1:
        Multiprocess(config, sockets=sockets).run()
    else:
        uvicorn.Server(config).run(sockets=sockets)


if __name__ == "__main__":
    main()
