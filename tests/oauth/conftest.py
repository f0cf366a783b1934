"""Real authorization servers, started once for all tests of a process."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mcp_daan.app import App
from mcp_daan.protocol import Answer
from mcp_daan.toolbox import tools_in
from mcp_daan.tools import oauth
from tests.asking import run
from tests.node.packages import BIN, installed
from tests.oauth.portal import Portal
from tests.oauth.sdk import Sdk

TOOL = tools_in(oauth)["oauth_check"]


class Node:
    """One of the scripts of tests/node/oauth, running; it prints its origin first."""

    def __init__(self, script: str) -> None:
        command = [BIN / "node", installed("oauth") / script]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        assert self._process.stdout is not None
        self.origin = self._process.stdout.readline().strip()
        assert self.origin.startswith("http"), script

    def ask(self) -> Any:
        """One line sent, one line of JSON that comes back."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write("?\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def end(self) -> None:
        """Close its stdin, which it waits for."""
        self._process.communicate(timeout=30)


def _node(script: str) -> Iterator[Node]:
    node = Node(script)
    yield node
    node.end()


@pytest.fixture(scope="session")
def workers() -> Iterator[Node]:
    """@cloudflare/workers-oauth-provider in workerd."""
    yield from _node("workers.mjs")


@pytest.fixture(scope="session")
def oidc() -> Iterator[Node]:
    """npm oidc-provider."""
    yield from _node("oidc.mjs")


@pytest.fixture(scope="session")
def mock() -> Iterator[Node]:
    """npm oauth2-mock-server, which is bad on purpose."""
    yield from _node("mock.mjs")


@pytest.fixture(scope="session")
def sdk() -> Iterator[Sdk]:
    """The mcp SDK's own authorization routes under uvicorn."""
    with Sdk() as running:
        yield running


def check(workspace: Path, portal: str | None, **arguments: Any) -> Answer:
    """The answer of `oauth_check` in *workspace*, whose configuration names *portal*."""
    app = App(str(workspace), {"DAAN_OAUTH_URL": portal} if portal else {})
    try:
        return run(TOOL, app, arguments)
    finally:
        app.close()


def statuses(answer: Answer) -> dict[str, str]:
    """The status of each check by its id."""
    return {each["id"]: each["status"] for each in answer.data["checks"]}


def observed(answer: Answer, name: str) -> str:
    """What was observed for one check."""
    return next(str(each["observed"]) for each in answer.data["checks"] if each["id"] == name)


@pytest.fixture
def portal() -> Iterator[Portal]:
    """A small portal, all as it should be."""
    with Portal() as running:
        yield running.good()
