"""A workspace with an app that binds KV namespaces, filled by the real engine."""

import json
from pathlib import Path
from typing import Any

import pytest

from mcp_daan.app import App
from mcp_daan.local_state import STATE, object_file
from mcp_daan.protocol import Answer
from mcp_daan.toolbox import tools_in
from mcp_daan.tools import kv
from mcp_daan.workers.kv.namespaces import KIND, UNIQUE_KEY
from tests.asking import run
from tests.node.kv import in_kv

TOOL = tools_in(kv)["kv_read"]
CACHE = "0123456789abcdef0123456789abcdef"
SESSION = "fedcba9876543210fedcba9876543210"
OAUTH = "00112233445566778899aabbccddeeff"


class Portal:
    """An app called portal whose namespaces are CACHE, SESSION and OAUTH_KV."""

    def __init__(self, root: Path, environment: dict[str, str] | None = None) -> None:
        self.root = root
        self.environment = environment or {}
        self.folder = root / "apps/portal"
        self.state = self.folder / STATE
        self.bind(
            [
                {"binding": "CACHE", "id": CACHE},
                {"binding": "SESSION", "id": SESSION},
                {"binding": "OAUTH_KV", "id": OAUTH},
            ]
        )

    def bind(self, namespaces: list[dict[str, Any]], folder: str = "apps/portal", **more: object) -> None:
        """Write the wrangler configuration of the app in *folder*."""
        (self.root / folder).mkdir(parents=True, exist_ok=True)
        config = {"name": folder.rsplit("/", 1)[-1], "kv_namespaces": namespaces, **more}
        (self.root / folder / "wrangler.json").write_text(json.dumps(config), encoding="utf-8")

    def fill(self, namespace_id: str, *requests: dict[str, Any]) -> None:
        """Let the real engine carry out *requests*."""
        in_kv(self.state, namespace_id, *requests)

    def file(self, namespace_id: str) -> Path:
        """Where the namespace's keys are kept."""
        return self.state / KIND / UNIQUE_KEY / object_file(UNIQUE_KEY, namespace_id)

    def ask(self, namespace: str, **arguments: Any) -> Answer:
        """The answer of `kv_read`."""
        app = App(str(self.root), self.environment)
        try:
            return run(TOOL, app, {"namespace": namespace, **arguments})
        finally:
            app.close()

    def names(self, namespace: str, **arguments: Any) -> list[str]:
        """The names of the keys that are listed."""
        return [each["name"] for each in self.ask(namespace, **arguments).data["keys"]]


@pytest.fixture
def portal(workspace: Path) -> Portal:
    """The app, without any data yet."""
    return Portal(workspace)


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below *folder*."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
