"""What an agent sees: a real conversation with the real server, for docs/what-an-agent-sees.md; `make docs` writes it."""

import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import apsw

ROOT = Path(__file__).parents[1]
NOW = "2026-11-22T12:00:00Z"
NOTE = """\
# Database

## connections

One row a customer and provider. The tokens are sealed with AES-256-GCM.

| column | type |
|---|---|
| `id` | INTEGER |
| `status` | TEXT |
| `division` | TEXT |
"""
SCHEMA = """\
CREATE TABLE connections (id INTEGER PRIMARY KEY, status TEXT NOT NULL, access_token_enc TEXT, division INTEGER);
INSERT INTO connections VALUES (1, 'active', 'x3J…', 3642295), (2, 'error', 'p0Q…', 2587273);
"""
CALLS: list[tuple[str, str, dict[str, Any]]] = [
    ("It looks for what the team wrote.", "knowledge_search", {"query": "connections tokens sealed", "limit": 1}),
    ("It learns the table.", "d1_schema", {"database": "portal", "table": "connections"}),
    (
        "It reads rows. The secret is masked under any name.",
        "d1_query",
        {"database": "portal", "sql": "SELECT id, status, access_token_enc AS note FROM connections ORDER BY id"},
    ),
    (
        "It tries to write, and is told what to do instead.",
        "d1_query",
        {"database": "portal", "sql": "DELETE FROM connections WHERE status = 'error'"},
    ),
    ("It misspells an argument.", "d1_schema", {"database": "portal", "tabel": "connections"}),
]


def transcript() -> str:
    """The conversation as markdown."""
    with tempfile.TemporaryDirectory() as folder:
        workspace = Path(folder)
        documents = workspace / "docs" / "knowledge" / "backend"
        documents.mkdir(parents=True)
        (documents / "DATABASE.md").write_text(NOTE, encoding="utf-8")
        connection = apsw.Connection(str(workspace / "portal.sqlite"))
        connection.execute(SCHEMA)
        connection.close()
        (workspace / "daan.toml").write_text('[d1.databases.portal]\npath = "portal.sqlite"\n', encoding="utf-8")
        greeting, listed, *answers = said(workspace)
    tool = next(each for each in listed["tools"] if each["name"] == "d1_query")
    shown = {name: tool[name] for name in ("name", "description", "inputSchema", "annotations")}
    parts = ["## At the start\n", quoted(greeting["instructions"]), "## One of the tools, without its output schema\n"]
    parts.append(fenced(shown))
    for number, ((why, name, arguments), answer) in enumerate(zip(CALLS, answers, strict=True), start=1):
        parts += [f"## Call {number}\n", f"{why} `{name}` with\n", fenced(arguments)]
        parts += ["answers\n", fenced(answer["structuredContent"])]
    return "\n".join(parts)


def said(workspace: Path) -> list[Any]:
    """The results of the handshake, the list, and each call."""
    hello = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "agent", "version": "1"}}
    requests: list[tuple[str, dict[str, Any]]] = [("initialize", hello), ("tools/list", {})]
    for number, (_, name, arguments) in enumerate(CALLS, start=1):
        requests.append(("tools/call", {"name": name, "arguments": {**arguments, "task_id": f"T-{number}"}}))
    process = subprocess.Popen(
        [sys.executable, "-m", "mcp_daan", "serve"],
        cwd=workspace,
        env={**os.environ, "DAAN_NOW": NOW, "DAAN_WORKSPACE": str(workspace)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    results = []
    for id, (method, params) in enumerate(requests):
        process.stdin.write(json.dumps({"jsonrpc": "2.0", "id": id, "method": method, "params": params}) + "\n")
        process.stdin.flush()
        results.append(json.loads(process.stdout.readline())["result"])
    process.communicate(timeout=30)
    return results


def fenced(value: Any) -> str:
    """*value* as a block; what the moment gives is fixed."""
    text = json.dumps(value, ensure_ascii=False, indent=2)
    text = re.sub(r'"durationMs": [\d.]+', '"durationMs": 0.3', text)
    return f"```json\n{text}\n```\n"


def quoted(text: str) -> str:
    """*text* as a quotation."""
    return "\n".join(f"> {line}" for line in text.splitlines()) + "\n"
