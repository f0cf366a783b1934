"""The floor: a hand-written loop around one statement. It guards, checks and pages nothing; nobody should run it."""

import json
import sys

import apsw

connection = apsw.Connection(sys.argv[1], flags=apsw.SQLITE_OPEN_READONLY)
SERVER = {
    "protocolVersion": "2025-06-18",
    "capabilities": {"tools": {}},
    "serverInfo": {"name": "floor", "version": "1"},
}
TOOL = {"name": "query", "inputSchema": {"type": "object", "properties": {"sql": {"type": "string"}}}}


def result(method: str, params: dict[str, object]) -> dict[str, object]:
    """What is answered to one request."""
    if method == "initialize":
        return SERVER
    if method == "tools/list":
        return {"tools": [TOOL]}
    arguments = params["arguments"]
    assert isinstance(arguments, dict)
    cursor = connection.execute(arguments["sql"])
    answer = {"columns": [name for name, _ in cursor.get_description()], "rows": cursor.fetchall()}
    return {"content": [{"type": "text", "text": json.dumps(answer)}]}


for line in sys.stdin:
    message = json.loads(line)
    if "id" in message:
        answer = {"jsonrpc": "2.0", "id": message["id"], "result": result(message["method"], message.get("params", {}))}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()
