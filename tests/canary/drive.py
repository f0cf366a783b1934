"""Drive the real process through everything that it offers, and keep every byte that it gives."""

import itertools
import json
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from mcp_daan.server.briefs import PROMPTS
from mcp_daan.toolbox import Tool
from mcp_daan.tools import all_tools
from tests.canary.world import World

LOUD = Path(__file__).with_name("loud.py")
INITIALIZE = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "canary", "version": "1"}}
SQL = [
    "SELECT * FROM connections",
    "SELECT access_token_enc AS remark, hex(refresh_token_enc), length(access_token_enc) FROM connections",
    "WITH c AS (SELECT client_secret s FROM vault) SELECT s || '', upper(s), json_object('a', s) FROM c",
    "SELECT * FROM open_vault",
    "SELECT * FROM vault WHERE client_secret LIKE 'a%' ORDER BY password_hash",
    "SELECT id, note, copied FROM vault",
    "SELECT client_secret FROM vault UNION SELECT key_hash FROM api_keys",
    "SELECT CAST(client_secret AS INTEGER), json(client_secret), date(session_cookie) FROM vault",
    "SELECT json(client_secret) FROM vault WHERE abs(client_secret) > 'x' AND 1/0",
    "SELECT group_concat(client_secret), max(password_hash), count(DISTINCT key_hash) FROM vault, api_keys",
    "SELECT last_error FROM connections",
    "SELECT sql FROM sqlite_schema",
    "SELEC client_secret FROM vault",
    "UPDATE vault SET note = client_secret",
]
# What is tried for each argument, whatever the tool; the first serves where it is required.
VALUES: dict[str, list[Any]] = {
    "database": ["portal-db", "far", "remote:far", "no-such", ""],
    "sql": SQL,
    "parameters": [[], ["x"], [{}]],
    "table": ["connections", "vault", "open_vault", "api_keys", "no_such"],
    "detail": ["full", "names"],
    "query": ["incident key token", "stampNL001", ["rotate", "lesson by hand"], "a" * 30],
    "path": ["backend/INCIDENT.md", "backend/LESSONS-LEARNED.md", "../../.dev.vars", "backend/none.md"],
    "section": ["Tokens", "Incident", "none"],
    "scope": ["all", "migrations", "lessons"],
    "namespace": ["SESSION", "remote:SESSION", "no-such"],
    "key": ["config", "api_token", "profile:1", "none"],
    "prefix": ["session:", "grant:", "token:", "client:", "zzz"],
    "url": ["http://127.0.0.1:1/", "https://127.0.0.1/", "ftp://x", "http://[::1]:99999/"],
    "active": [True, False],
    "cursor": ["x", "WzEsICIiXQ"],
    "title": ["How the portal failed"],
    "problem": ["The portal failed, and nobody knew why for a day."],
    "solution": ["Read the log before anything else, and write down what it says."],
    "component": ["oauth", "d1"],
    "branches": ["all", "current"],
    "location": ["all", "local", "remote"],
    "state": ["undecryptable", "plaintext_at_rest", "missing_token"],
    "provider": ["exact-online", "none"],
    "limit": [1000, 1, 0],
    "max_bytes": [65536, 500],
    "since": ["2020-01-01", "no date"],
    "rehearse": [True],
    "deep": [True],
    "advise": [True],
    "remote": [True],
    "app": ["auth-portal", "none"],
    "connection": ["1"],
    "calls": [1000],
}
ODD: list[Any] = [None, 7, [], {"a": "b"}, "\0"]


def calls(tool: Tool) -> Iterator[dict[str, Any]]:
    """The arguments that the tool is called with: each value of each argument beside the first of the others."""
    schema = tool.input_schema
    required = {name: VALUES[name][0] for name in schema.get("required", [])}
    yield required
    for name in schema["properties"]:
        for value in VALUES.get(name, []):
            yield {**required, name: value}
    for name, value in itertools.product(required, ODD[:2]):
        yield {**required, name: value}
    if "namespace" in required:
        yield from ({"namespace": "remote:SESSION", "key": key} for key in VALUES["key"])
    if "sql" in required:
        yield from ({"database": "far", "sql": sql} for sql in SQL)
    if "database" in schema["properties"] and "limit" in schema["properties"] and not required:
        yield from ({"database": "far", "state": state, "limit": 1000} for state in VALUES.get("state", []))


class Server:
    """The server over stdio, with what it said so far."""

    def __init__(self, world: World, **environment: str) -> None:
        self.said: list[bytes] = []
        self._process = subprocess.Popen(
            [sys.executable, LOUD, "serve", "--workspace", world.workspace],
            env={**world.environment, **environment},
            cwd=world.workspace,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self._errors = threading.Thread(target=self._listen)
        self._errors.start()
        self._number = itertools.count()
        self.ask("initialize", INITIALIZE)
        self._send({"method": "notifications/initialized"})

    def ask(self, method: str, params: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The answer, an error included; empty where the server has gone."""
        number = next(self._number)
        self._send({"id": number, "method": method, "params": dict(params or {})})
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.said.append(line)
            answer: dict[str, Any] = json.loads(line)
            if answer.get("id") == number:
                return answer
        return {}

    def end(self) -> bytes:
        """Everything that it said."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with suppress(BrokenPipeError):  # it has gone, and what it did not read stays
            self._process.stdin.close()
        self.said.append(self._process.stdout.read())
        self._errors.join()
        self._process.wait(timeout=30)
        self._process.stdout.close()
        return b"".join(self.said)

    def _send(self, message: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError:  # it has gone, and has said what it will
            return

    def _listen(self) -> None:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            self.said.append(line)
        self._process.stderr.close()


def whole_server(world: World, *, only: str | None = None, **environment: str) -> tuple[bytes, list[dict[str, Any]]]:
    """Everything that the server says when it is asked for everything, and the answers to the calls."""
    server = Server(world, **environment)
    answers = []
    for name, tool in all_tools().items():
        for arguments in calls(tool) if only is None or name == only else ():
            answer = server.ask("tools/call", {"name": name, "arguments": arguments})
            answers.append({"name": name, **answer.get("result", {}).get("structuredContent", {})})
    if only is None:
        _beside_tools(server)
    return server.end(), answers


def _beside_tools(server: Server) -> None:
    """Resources, prompts and completion, what exists and what does not."""
    for method in ("tools/list", "prompts/list", "resources/list", "resources/templates/list"):
        server.ask(method)
        server.ask(method, {"cursor": "nonsense"})
    listed = server.ask("resources/list").get("result", {}).get("resources", [])
    for uri in (
        *(each["uri"] for each in listed),
        "knowledge://backend/../../.dev.vars",
        "d1://no-such/schema",
        "x://y",
    ):
        server.ask("resources/read", {"uri": uri})
    for name, brief in PROMPTS.items():
        given = {each: str(VALUES.get(each, ["something"])[0]) for each in brief.arguments if each != "language"}
        for arguments in ({}, given, {**given, "unknown": "x"}):
            server.ask("prompts/get", {"name": name, "arguments": arguments})
        for argument in brief.arguments:
            ref = {"type": "ref/prompt", "name": name}
            server.ask("completion/complete", {"ref": ref, "argument": {"name": argument, "value": ""}})
    for template in ("knowledge://backend/{path}", "d1://{database}/schema"):
        for argument in ("path", "database"):
            ref = {"type": "ref/resource", "uri": template}
            server.ask("completion/complete", {"ref": ref, "argument": {"name": argument, "value": ""}})
    server.ask("no/such/method", {"a": 1})


def command(world: World, *arguments: str, **environment: str) -> bytes:
    """What one command says."""
    done = subprocess.run(
        [sys.executable, LOUD, *arguments],
        env={**world.environment, "DAAN_WORKSPACE": str(world.workspace), **environment},
        cwd=world.workspace,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=100,
        check=False,
    )
    return done.stdout + done.stderr


def standing(folder: Path) -> dict[Path, int]:
    """The files below *folder*, each with the moment of its last change."""
    files = [each for each in folder.rglob("*") if each.is_file() and not each.is_symlink()]
    return {each: each.stat().st_mtime_ns for each in files}


def written(folder: Path, before: Mapping[Path, int]) -> list[bytes]:
    """The names and contents of the files below *folder* that are new or changed since *before*."""
    fresh = [each for each, changed in standing(folder).items() if before.get(each) != changed]
    return [str(each.relative_to(folder)).encode() + b"\n" + each.read_bytes() for each in fresh]
