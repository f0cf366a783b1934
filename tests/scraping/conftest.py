"""A site of documentation on this machine, over TLS with a certificate of its own."""

import asyncio
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from mcp_daan.app import App
from mcp_daan.knowledge.scraping.fetching import Fetching
from mcp_daan.knowledge.scraping.scrape import Scraped, scrape
from tests.oauth.test_tls import certificate

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
HTML = "text/html; charset=utf-8"
MARKDOWN = "text/markdown; charset=utf-8"
TEXT = "# Limits\n\nA statement takes at most 100 bound parameters, and a row 2 MB.\n"


@dataclass
class Answer:
    """What the site answers at a path."""

    body: bytes = b""
    kind: str = MARKDOWN
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


class Site:
    """Answers by path, and what was asked."""

    def __init__(self, pair: tuple[str, str]) -> None:
        self.pages: dict[str, Answer] = {}
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.drops = 0.0
        self.ended = threading.Event()
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                site.asked.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
                answer = site.pages.get(self.path, Answer(b"no", HTML, 404))
                etag = answer.headers.get("ETag")
                fresh = etag is not None and self.headers.get("If-None-Match") == etag
                self.send_response(304 if fresh else answer.status)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                body = b"" if fresh else answer.body
                self.send_header("Content-Type", answer.kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                for place in range(0, len(body), 1 if site.drops else max(len(body), 1)):
                    self.wfile.write(body[place : place + (1 if site.drops else len(body))])
                    site.ended.wait(site.drops)

            def log_message(self, *_: Any) -> None:
                return

        class Server(ThreadingHTTPServer):
            def handle_error(self, *_: Any) -> None:
                return  # a client that hangs up is what some tests are about

        self._server = Server(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*pair)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        self.origin = f"https://localhost:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def put(self, path: str, text: str | bytes = TEXT, kind: str = MARKDOWN, **headers: str) -> str:
        """Serve *text* at *path*; its address."""
        body = text if isinstance(text, bytes) else text.encode()
        self.pages[path] = Answer(
            body, kind, headers={name.replace("_", "-"): value for name, value in headers.items()}
        )
        return self.origin + path

    def close(self) -> None:
        """End it."""
        self.ended.set()
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def pair(tmp_path: Path) -> tuple[str, str]:
    """A certificate for localhost and its key."""
    return certificate(tmp_path, host="localhost")


@pytest.fixture
def site(pair: tuple[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """The site; its certificate is trusted."""
    monkeypatch.setenv("SSL_CERT_FILE", pair[0])
    made = Site(pair)
    yield made
    made.close()


async def home(host: str) -> list[str]:
    """Every name is this machine."""
    return ["127.0.0.1"]


def at_home(*origins: str) -> Fetching:
    """Fetching that may reach this machine."""
    return Fetching(origins, resolve=home, allowed=lambda address: True)


@pytest.fixture
def get(workspace: Path, app: App, site: Site) -> Callable[..., Scraped]:
    """Scrapes one page of the site into the workspace."""
    (workspace / "docs/knowledge/backend").mkdir(parents=True)

    def one(url: str, *, now: datetime = NOW, force: bool = False, fetching: Fetching | None = None) -> Scraped:
        chosen = fetching or at_home(site.origin)
        base = app.for_call().knowledge
        return asyncio.run(scrape(base, [url], chosen, now=now, redact=app.redact, force=force))[0]

    return one


@pytest.fixture
def kept(workspace: Path) -> Callable[[], dict[str, str]]:
    """Every file below `scraped/`, by its path there."""

    def read() -> dict[str, str]:
        folder = workspace / "docs/knowledge/backend/scraped"
        return {
            file.relative_to(folder).as_posix(): file.read_bytes().decode()
            for file in sorted(folder.rglob("*"))
            if file.is_file()
        }

    return read
