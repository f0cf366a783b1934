"""A demo workspace for all tests over HTTP, and users to serve it."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mcp_daan.demo.workspace import make_workspace
from tests.http.servers import Server


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A demo workspace that nobody writes in."""
    folder = tmp_path_factory.mktemp("demo") / "workspace"
    make_workspace(folder, datetime.now(UTC))
    return folder


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """The home of the user who serves."""
    folder = tmp_path / "served"
    folder.mkdir()
    return folder


@pytest.fixture(scope="module")
def server(demo: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server without authentication, for this machine."""
    started = Server(demo, tmp_path_factory.mktemp("open"))
    yield started
    started.close()
