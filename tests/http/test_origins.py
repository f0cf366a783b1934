"""From where a server may be called: the names of hosts, and pages of browsers."""

import socket
from pathlib import Path

import pytest

from tests.http.servers import ACCEPT, Server
from tests.http.test_serving import LIST


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"host": "evil.example"}, 421),
        ({"host": "evil.example:80"}, 421),
        ({"host": "127.0.0.1.evil.example"}, 421),
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "http://localhost.evil.example"}, 403),
        ({"host": "localhost:1", "origin": "http://localhost:5173"}, 200),
        ({"host": "LocalHost:1", "origin": "HTTP://LOCALHOST:5173"}, 200),
    ],
)
def test_a_page_that_came_by_another_name_gets_nothing(server: Server, headers: dict[str, str], status: int) -> None:
    """DNS rebinding: neither the endpoint nor the metrics answer it."""
    assert server.post(LIST, headers).status_code == status
    assert server.http.get("/metrics", headers=headers).status_code == status


def test_a_page_that_is_allowed_may_read_the_answers_and_no_other_may(demo: Path, home: Path) -> None:
    """The browser asks first, and is told of this page alone; a slash too much makes no redirect."""
    page = "https://app.example.test"
    started = Server(demo, home, place="[::1]:0", DAAN_HTTP_ALLOWED_ORIGINS=page, DAAN_HTTP_ALLOWED_HOSTS="daan.test")
    try:
        asked = {"access-control-request-method": "POST", "access-control-request-headers": "mcp-method"}
        before = [
            started.http.options("/mcp", headers={"origin": origin, **asked}).headers.get("access-control-allow-origin")
            for origin in (page, "https://evil.example.test")
        ]
        answer = started.post(LIST, {"origin": page, "host": "daan.test"})
        slash = started.http.post("/mcp/", json=LIST, headers=ACCEPT).status_code
        lost = started.http.post("/healthz/", headers={"host": "evil.example"})
    finally:
        started.close()

    assert before == [page, None]
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (200, page)
    assert (slash, lost.status_code, "location" in lost.headers) == (200, 404, False)


@pytest.mark.parametrize("port", ["", ":443", ":8443"])
def test_an_address_may_be_set_as_people_write_it(demo: Path, home: Path, port: str) -> None:
    """Capitals, the usual port, a slash too much; a proxy leaves the port away."""
    started = Server(
        demo,
        home,
        DAAN_HTTP_PUBLIC_URL=f"https://Mcp.Example.Test{port}/mcp",
        DAAN_HTTP_ALLOWED_ORIGINS="https://App.Example.Test/",
        DAAN_HTTP_ALLOWED_HOSTS="Inner.Test",
    )
    own = f"https://mcp.example.test{port.removesuffix(':443')}"
    page = "https://app.example.test"
    try:
        found = [
            started.post(LIST, {"host": host, "origin": origin}).status_code
            for host, origin in (
                ("mcp.example.test", own),
                (f"mcp.example.test{port}", page),
                ("inner.test:8000", page),
                ("mcp.example.test.evil.test", page),
                ("mcp.example.test", "https://evil.test"),
            )
        ]
    finally:
        started.close()

    assert found == [200, 200, 200, 421, 403]


@pytest.mark.parametrize("name", ["Host", "Origin"])
def test_what_steers_a_terminal_does_not_get_into_the_log(server: Server, name: str) -> None:
    """Whoever reads it there would see what a stranger wrote, in the place of what was logged."""
    head = f"POST /mcp HTTP/1.1\r\nHost: localhost\r\n{name}: strange-{name}\x1b[2J\x9b1m\x07\r\n"
    head = head.replace("Host: localhost\r\n", "") if name == "Host" else head
    with socket.create_connection(("127.0.0.1", int(server.base.rpartition(":")[2]))) as caller:
        caller.sendall(f"{head}Content-Type: application/json\r\nConnection: close\r\n\r\n".encode("latin-1"))
        answer = caller.recv(1000)

    assert answer.split()[1] in (b"421", b"403")
    assert f"strange-{name.lower()}?[2j?1m?" in server.log
