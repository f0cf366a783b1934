"""A double of Cloudflare's API for Workers, which answers as the documented shapes do, and an app that is deployed."""

import json
import threading
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from mcp_daan.app import App
from mcp_daan.protocol import Answer
from mcp_daan.toolbox import tools_in
from mcp_daan.tools import workers
from tests.asking import run

TOOL = tools_in(workers)["workers_check"]
ACCOUNT = "0123456789abcdef0123456789abcdef"
TOKEN = "reads-workers-0123456789abcdefghijklmnop"
KV = "fedcba9876543210fedcba9876543210"
DB = "11111111-2222-3333-4444-555555555555"
FIRST, SECOND = "aaaaaaaa-0000-4000-8000-000000000001", "bbbbbbbb-0000-4000-8000-000000000002"
BINDINGS = [
    {"type": "d1", "name": "DB", "id": DB},
    {"type": "kv_namespace", "name": "SESSION", "namespace_id": KV},
    {"type": "plain_text", "name": "MODE", "text": "live"},
    {"type": "secret_text", "name": "TOKEN_ENCRYPTION_KEY"},
]


class Cloud:
    """What the account answers, by script; `failing` holds the status and code for paths that end so."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, str, Any]] = []
        self.scripts: dict[str, dict[str, Any]] = {}
        self.failing: dict[str, tuple[int, int]] = {}
        self.telemetry: Any = {"run": {"status": "COMPLETED"}, "calculations": []}
        self.namespaces: list[str] = []
        self.deploy("portal")
        cloud = self

        class Answering(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.answer("GET", None)

            def do_POST(self) -> None:
                size = int(self.headers["content-length"])
                self.answer("POST", json.loads(self.rfile.read(size)))

            def answer(self, method: str, body: Any) -> None:
                cloud.requests.append((method, self.path, body))
                status, envelope = cloud.answered(method, self.path, self.headers["authorization"])
                text = json.dumps(envelope).encode()
                self.send_response(status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(text)))
                with suppress(ConnectionError):  # the client has what it wanted, or waits no longer
                    self.end_headers()
                    self.wfile.write(text)

            def log_message(self, format: str, *arguments: Any) -> None:
                return

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05})
        self.thread.start()

    def deploy(self, script: str, **changed: Any) -> None:
        """Make *script* deployed; *changed* replaces shares, bindings (by version), crons or the date."""
        about = {
            "shares": {FIRST: 100.0},
            "bindings": {},
            "crons": ["*/5 * * * *"],
            "date": "2026-10-01",
            **changed,
        }
        self.scripts[script] = about

    def answered(self, method: str, path: str, authorization: str) -> tuple[int, dict[str, Any]]:
        """The status and the envelope."""
        for ending, (status, code) in self.failing.items():
            if path.endswith(ending):
                return status, _failure(code)
        if authorization != f"Bearer {TOKEN}":
            return 403, _failure(10000)
        account = f"/client/v4/accounts/{ACCOUNT}/"
        if path.startswith(f"{account}storage/kv/namespaces"):
            info = {"page": 1, "per_page": 100, "count": len(self.namespaces), "total_count": len(self.namespaces)}
            return 200, {**_envelope([{"id": each, "title": each} for each in self.namespaces]), "result_info": info}
        below = path.removeprefix(f"{account}workers/")
        if below == path:
            return 404, _failure(7003)
        if (method, below) == ("POST", "observability/telemetry/query"):
            return 200, _envelope(self.telemetry)
        _, _, below = below.partition("/")
        if not below:
            return 200, _envelope([{"id": script} for script in self.scripts])
        script, *rest = below.split("/")
        about = self.scripts.get(script)
        if about is None:
            return 404, _failure(10007)
        return 200, _envelope(_about(about, rest))

    def end(self) -> None:
        """End it."""
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


def _about(about: dict[str, Any], rest: list[str]) -> Any:
    if rest == ["deployments"]:
        versions = [{"version_id": version, "percentage": share} for version, share in about["shares"].items()]
        deployment = {
            "id": "d-1",
            "source": "wrangler",
            "strategy": "percentage",
            "author_email": "somebody@example.test",
            "created_on": "2026-11-20T08:00:00.000000Z",
            "annotations": {"workers/triggered_by": "deployment"},
            "versions": versions,
        }
        return {"deployments": [deployment, {**deployment, "id": "d-0", "created_on": "2026-11-01T08:00:00.000000Z"}]}
    if rest == ["schedules"]:
        return {"schedules": [{"cron": cron, "created_on": "2026-11-01T08:00:00Z"} for cron in about["crons"]]}
    version = rest[1]
    return {
        "id": version,
        "number": 7 if version == FIRST else 8,
        "metadata": {
            "created_on": "2026-11-20T08:00:00Z",
            "source": "wrangler",
            "author_email": "somebody@example.test",
        },
        "annotations": {"workers/message": "Release with api_token=hunter2 in it"},
        "resources": {
            "bindings": about["bindings"].get(version, BINDINGS),
            "script": {"etag": "e", "handlers": ["fetch", "scheduled"]},
            "script_runtime": {"compatibility_date": about["date"], "usage_model": "standard"},
        },
    }


def _envelope(result: Any) -> dict[str, Any]:
    return {"success": True, "errors": [], "messages": [], "result": result}


def _failure(code: int) -> dict[str, Any]:
    return {
        "success": False,
        "errors": [{"code": code, "message": "somebody@example.test may not"}],
        "messages": [],
        "result": None,
    }


class Portal:
    """The app `portal`, as it is deployed."""

    def __init__(self, root: Path, cloud: Cloud) -> None:
        self.root = root
        self.cloud = cloud
        self.environment = {
            "CLOUDFLARE_API_TOKEN": TOKEN,
            "CLOUDFLARE_ACCOUNT_ID": ACCOUNT,
            "DAAN_CLOUDFLARE_API": f"http://127.0.0.1:{cloud.server.server_port}/client/v4",
            "DAAN_NOW": "2026-11-22T12:00:00Z",
        }
        self.config: dict[str, Any] = {
            "name": "portal",
            "main": "index.js",
            "compatibility_date": "2026-10-01",
            "observability": {"enabled": True},
            "triggers": {"crons": ["*/5 * * * *"]},
            "vars": {"MODE": "live"},
            "d1_databases": [{"binding": "DB", "database_name": "portal-db", "database_id": DB}],
            "kv_namespaces": [{"binding": "SESSION", "id": KV}],
        }

    def check(self, **arguments: Any) -> Answer:
        """The answer of `workers_check` with `remote`."""
        folder = self.root / "apps/portal"
        (folder / "migrations").mkdir(parents=True, exist_ok=True)
        (folder / "index.js").write_text("export default { fetch() {}, scheduled() {} };")
        (folder / "wrangler.json").write_text(json.dumps(self.config, indent=2))
        app = App(str(self.root), self.environment)
        try:
            return run(TOOL, app, {"remote": True, **arguments})
        finally:
            app.close()

    def found(self) -> list[tuple[str, str, int | None]]:
        """The findings about what is deployed: code, severity, line."""
        return [
            (each["code"], each["severity"], each["line"])
            for each in self.check().data["findings"]
            if "deployed" in each["code"]
        ]


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    """The account."""
    running = Cloud()
    yield running
    running.end()


@pytest.fixture
def portal(workspace: Path, cloud: Cloud) -> Portal:
    """The app."""
    return Portal(workspace, cloud)
