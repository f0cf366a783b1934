"""The same over HTTP: answers, headers, refusals, metrics, the audit and the log hold no secret."""

import json
import re

import pytest

from tests.canary.canaries import readable
from tests.canary.drive import SQL, VALUES, command
from tests.canary.world import World
from tests.http.servers import Server, bearer

SCOPES = ("knowledge:read", "d1:read", "tokens:read", "infra:read")


@pytest.mark.timeout(300)
def test_nothing_secret_leaves_over_http(world: World) -> None:
    """With a caller's token, with a wrong one and with none, in order and broken."""
    made = command(world, "token", "create", "ci", *(f"--scope={scope}" for scope in SCOPES)).decode()
    found = re.search(r"daan_[\w-]{20,}", made)
    assert found is not None
    token = world.canaries.raw(found[0].encode()).decode()
    wrong = world.canaries.text("daan_")
    folders = {name: value for name, value in world.environment.items() if name.startswith(("XDG_", "HOME"))}
    variables = {name: value for name, value in world.environment.items() if name not in {**folders, "PATH": 1}}
    server = Server(world.workspace, world.home, **{**variables, **folders, "DAAN_AUDIT_FILE": "audit.jsonl"})
    try:
        calls = [
            ("tokens_health", {"limit": 1000}),
            ("tokens_health", {"database": "far"}),
            ("kv_read", {"namespace": "SESSION"}),
        ]
        calls += [("d1_query", {"database": name, "sql": sql}) for name in ("portal-db", "far") for sql in SQL]
        calls += [("knowledge_read", {"path": path}) for path in VALUES["path"]]
        calls += [("no_such_tool", {}), ("d1_query", {"database": [wrong]})]
        answers = [
            server.ask("tools/call", {"name": name, "arguments": arguments}, each)
            for name, arguments in calls
            for each in ((token, wrong, None) if name == "tokens_health" else (token,))
        ]
        answers += [
            server.http.get(path, headers=bearer(token))
            for path in ("/metrics", "/healthz", "/readyz", "/mcp", "/none")
        ]
        answers.append(server.http.post("/mcp", content=b"{" + wrong.encode(), headers=bearer(token)))
        answers.append(server.http.post("/mcp", content=b"[]", headers={"authorization": f"Basic {wrong}"}))
    finally:
        server.stop()
    said = [f"{dict(answer.headers)}\n".encode() + answer.content for answer in answers]
    audited = (world.workspace / "audit.jsonl").read_bytes()
    log = server.log.encode()
    server.close()

    assert {answer.status_code for answer in answers} >= {200, 401, 404}
    assert len(audited.splitlines()) >= len(calls)
    assert json.loads(audited.splitlines()[0])
    assert world.canaries.found_in(readable(*said, audited, log)) == []
