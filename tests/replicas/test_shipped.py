"""The files of deploy/ agree with the server, and with the programs that read them."""

import configparser
import json
import re
import shutil
import socket
import subprocess
import sys
import threading
import tomllib
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx2
import pytest

from mcp_daan.cli import _parser
from mcp_daan.config import Http
from mcp_daan.server.http.serving import KEEP_ALIVE_SECONDS
from tests.http.servers import Server
from tests.node.packages import BIN
from tests.replicas.nginx import SHIPPED, Balancer, free_port

ROOT = Path(__file__).parents[2]
NGINX = SHIPPED.read_text(encoding="utf-8")
UNIT = ROOT / "deploy" / "mcp-daan@.service"
CONTAINER = (ROOT / "deploy" / "Containerfile").read_text(encoding="utf-8")
PAGE = (ROOT / "docs" / "deployment.md").read_text(encoding="utf-8")


class Mute:
    """A replica that takes a request and dies before it answers; `asked` counts them."""

    def __init__(self) -> None:
        self.asked = 0
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            connection, _ = self._listening.accept()
            with connection:
                if not connection.recv(65536):
                    return
                self.asked += 1

    def close(self) -> None:
        """End it."""
        with socket.create_connection(("127.0.0.1", self.port)):
            pass
        self._thread.join(10)
        self._listening.close()


@pytest.fixture
def mute() -> Iterator[list[Mute]]:
    """Two of them."""
    both = [Mute(), Mute()]
    yield both
    for each in both:
        each.close()


def unit() -> dict[str, str]:
    """The last value of each key of the unit."""
    found = configparser.RawConfigParser(strict=False, comment_prefixes="#")
    found.optionxform = str  # type: ignore[method-assign,assignment]
    found.read(UNIT)
    return {key: value for section in found.sections() for key, value in found[section].items()}


def directive(name: str) -> str:
    """The value of a directive of nginx that stands there once."""
    (value,) = set(re.findall(rf"(?m)^ *{name} ([^;]+);", NGINX))
    return value


def test_the_numbers_of_nginx_agree_with_the_server() -> None:
    """Requests as large as the server takes; an idle connection is let go by nginx first, so none breaks under a call."""
    assert directive("client_max_body_size") == f"{Http().max_request_bytes >> 20}m"
    assert int(directive("keepalive_timeout").removesuffix("s")) < KEEP_ALIVE_SECONDS
    assert directive("proxy_next_upstream") == "error timeout"
    assert (directive("proxy_buffering"), directive("proxy_http_version")) == ("off", "1.1")


def test_the_unit_starts_what_the_command_line_takes_and_waits_for_its_end() -> None:
    """Its command is one that the parser knows; systemd waits longer than the server lets calls end."""
    told = unit()
    words = told["ExecStart"].replace("%i", "8001").split()
    chosen = _parser().parse_args(words[1:])

    assert (Path(words[0]).name, chosen.http, chosen.workers) == ("mcp-daan", "127.0.0.1:8001", 2)
    assert int(told["TimeoutStopSec"]) > Http().stop_seconds
    assert chosen.workspace == told["ReadWritePaths"].replace("%i", "8001")


def test_the_container_starts_what_the_command_line_takes() -> None:
    """Its command is one that the parser knows, its Python one that the package takes, its wheel ours."""
    entry, command = (json.loads(re.findall(rf"(?m)^{word} (\[.*\])$", CONTAINER)[0]) for word in ("ENTRYPOINT", "CMD"))
    chosen = _parser().parse_args(command)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lowest = tuple(int(each) for each in project["requires-python"].removeprefix(">=").split("."))
    python = tuple(int(each) for each in re.findall(r"(?m)^FROM \S+:(\d+)\.(\d+)", CONTAINER)[0])

    assert entry == [next(iter(project["scripts"]))]
    assert (chosen.http, chosen.workspace) == ("0.0.0.0:8000", "/workspace")
    assert "EXPOSE 8000" in CONTAINER
    assert "VOLUME /workspace" in CONTAINER
    assert python >= lowest
    assert f"dist/{project['name'].replace('-', '_')}-*.whl" in CONTAINER


def test_the_containers_health_check_tells_a_server_that_serves_from_none(server: Server) -> None:
    """It ends with 0 for the one and not for the other."""
    program, *arguments = json.loads(re.findall(r"(?m)^HEALTHCHECK CMD (\[.*\])$", CONTAINER)[0])
    codes = []
    for place in (server.base, f"http://127.0.0.1:{free_port()}"):
        typed = [each.replace("http://127.0.0.1:8000", place) for each in arguments]
        codes.append(subprocess.run([sys.executable, *typed], capture_output=True, timeout=30).returncode)

    assert program == "python"
    assert (codes[0], codes[1] != 0) == (0, True)


def test_the_page_names_every_file_that_is_shipped() -> None:
    """And no other."""
    named = set(re.findall(r"\.\./deploy/([\w.@-]+)\)", PAGE))

    assert named == {path.name for path in (ROOT / "deploy").iterdir()}


@pytest.mark.long
@pytest.mark.timeout(300)
def test_nginx_takes_the_shipped_file(tmp_path: Path) -> None:
    """Only ports, name and certificate are those of this run."""
    said = Balancer(tmp_path / "nginx", [free_port(), free_port()], free_port()).checked()

    assert "syntax is ok" in said
    assert "test is successful" in said
    assert "[warn]" not in said


@pytest.mark.long
@pytest.mark.timeout(300)
def test_a_call_that_was_sent_is_never_sent_again(tmp_path: Path, mute: list[Mute]) -> None:
    """It may have written a lesson: the client is told 502, and the other replica never hears of it."""
    front = Balancer(tmp_path / "nginx", [each.port for each in mute], free_port())
    with ExitStack() as stack:
        front.start()
        stack.callback(front.stop)
        answer = httpx2.post(front.url, json={}, verify=front.trust)

    assert answer.status_code == 502
    assert sum(each.asked for each in mute) == 1


@pytest.mark.long
@pytest.mark.timeout(300)
def test_a_replica_that_is_away_costs_no_call(tmp_path: Path, server: Server) -> None:
    """Who refuses the connection never got the call, so another one answers it."""
    alive = int(server.base.rpartition(":")[2])
    front = Balancer(tmp_path / "nginx", [free_port(), free_port(), alive], free_port())
    with ExitStack() as stack:
        front.start()
        stack.callback(front.stop)
        statuses = [httpx2.get(f"https://localhost:{front.port}/healthz", verify=front.trust).status_code] * 3
        ping = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
        accept = {"accept": "application/json, text/event-stream"}
        calls = [httpx2.post(front.url, json=ping, headers=accept, verify=front.trust).status_code for _ in range(6)]

    assert statuses + calls == [200] * 9


@pytest.mark.long
@pytest.mark.parametrize("program", [path for path in [shutil.which("systemd-analyze")] if path])
def test_systemd_takes_the_unit(tmp_path: Path, program: str) -> None:
    """Where there is a systemd to ask; with the command and the user of this machine."""
    text = UNIT.read_text(encoding="utf-8").replace("/opt/mcp-daan/bin/mcp-daan", str(BIN / "mcp-daan"))
    (tmp_path / UNIT.name).write_text(text, encoding="utf-8")
    command = [program, "verify", "--man=no", tmp_path / UNIT.name]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)

    assert (done.returncode, done.stderr) == (0, "")
