"""A small real HTTP server whose every route can be right or wrong, and which notes what it is asked."""

import json
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

JSON = {"Content-Type": "application/json"}
HTML = {"Content-Type": "text/html; charset=utf-8"}


@dataclass(frozen=True)
class Reply:
    """What a route answers; a body may come in pieces, and never end."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | Callable[[], Iterator[bytes]] = b""


def document(value: object, **headers: str) -> Reply:
    """JSON, as it should be."""
    return Reply(200, {**JSON, **headers}, json.dumps(value).encode())


def redirect(to: str, status: int = 302) -> Reply:
    """The way to somewhere else."""
    return Reply(status, {"Location": to})


@dataclass(frozen=True)
class Asked:
    """One request as it came."""

    method: str
    path: str
    headers: Mapping[str, str]


class Portal:
    """The server; `routes` may be changed at any time (a reply, or what makes one of the path), `otherwise` answers the rest."""

    def __init__(self, *, host: str = "127.0.0.1", port: int = 0, certificate: tuple[str, str] | None = None) -> None:
        self.asked: list[Asked] = []
        self.routes: dict[str, Reply | Callable[[str], Reply]] = {}
        self.otherwise: Reply | Callable[[str], Reply] = Reply(404)
        self.reads_tokens_in_urls = False
        self.silent = False
        self.ended = threading.Event()
        self.reached = threading.Event()
        self.sent = 0
        self._server = ThreadingHTTPServer((host, port), self._speaking())
        self._server.daemon_threads = True
        self._server.block_on_close = False
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            self._server.socket = context.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        self.port = int(self._server.server_address[1])
        self.origin = f"{'https' if certificate else 'http'}://{host}:{self.port}"
        self.resource = f"{self.origin}/mcp"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})

    def __enter__(self) -> "Portal":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.ended.set()
        self._server.shutdown()
        self._thread.join(timeout=10)
        self._server.server_close()

    @property
    def methods(self) -> set[str]:
        """How it was asked."""
        return {each.method for each in self.asked}

    def hang(self, path: str) -> Reply:
        """A route that answers only when all is over."""
        self.ended.wait(10)
        return Reply()

    def good(self, origin: str | None = None) -> "Portal":
        """All routes as they should be, under the name *origin*."""
        origin = origin or self.origin
        at = f"{origin}/.well-known/oauth-protected-resource/mcp"
        self.routes = {
            "/mcp": Reply(401, {**JSON, "WWW-Authenticate": f'Bearer resource_metadata="{at}", scope="mcp:read"'}),
            "/.well-known/oauth-protected-resource/mcp": document(protected(origin)),
            "/.well-known/oauth-authorization-server": document(server(origin)),
            "/authorize": Reply(400, HTML, b"<p>invalid_request"),
            "/token": Reply(405),
            "/jwks": document({"keys": [{"kty": "RSA", "kid": "one", "n": "AQAB", "e": "AQAB"}]}),
        }
        return self

    def _speaking(self) -> type[BaseHTTPRequestHandler]:
        portal = self

        class Speaking(BaseHTTPRequestHandler):
            def _answer(self) -> None:
                self.close_connection = True
                portal.asked.append(Asked(self.command, self.path, dict(self.headers)))
                portal.reached.set()
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                if portal.silent:
                    portal.hang(self.path)
                reply = portal.routes.get(self.path.partition("?")[0], portal.otherwise)
                reply = reply if isinstance(reply, Reply) else reply(self.path)
                token = "Bearer" in (self.headers.get("Authorization") or "")
                token |= portal.reads_tokens_in_urls and "access_token=" in self.path
                headers = dict(reply.headers)
                if token and "WWW-Authenticate" in headers:
                    headers["WWW-Authenticate"] += ', error="invalid_token"'
                self.send_response(reply.status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                pieces = iter([reply.body]) if isinstance(reply.body, bytes) else reply.body()
                for piece in pieces:
                    self.wfile.write(piece)
                    self.wfile.flush()
                    portal.sent += len(piece)

            def handle(self) -> None:
                try:
                    super().handle()
                except OSError:
                    # Whoever asked has gone; TLS failures are OSErrors too.
                    self.close_connection = True

            def finish(self) -> None:
                try:
                    super().finish()
                except OSError:
                    self.close_connection = True

            def log_message(self, format: str, *arguments: Any) -> None:
                pass

            do_GET = do_POST = do_OPTIONS = do_HEAD = do_PUT = do_DELETE = _answer

        return Speaking


def protected(origin: str, /, **changes: Any) -> dict[str, Any]:
    """The metadata of a resource, right but for *changes*."""
    return {
        "resource": f"{origin}/mcp",
        "authorization_servers": [origin],
        "scopes_supported": ["mcp:read"],
        "resource_name": "Portal",
        "bearer_methods_supported": ["header"],
        **changes,
    }


def server(issuer: str, /, **changes: Any) -> dict[str, Any]:
    """The metadata of an authorization server, right but for *changes*."""
    return {
        "issuer": issuer,
        "authorization_endpoint": f"{issuer}/authorize",
        "token_endpoint": f"{issuer}/token",
        "jwks_uri": f"{issuer}/jwks",
        "response_types_supported": ["code"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": ["none"],
        "authorization_response_iss_parameter_supported": True,
        "client_id_metadata_document_supported": True,
        **changes,
    }
