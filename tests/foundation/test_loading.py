"""What is loaded before a tool can run: start is what people feel."""

import json
import subprocess
import sys
from pathlib import Path

# Each is large, and a query of a local database needs none of them in this process.
LATER = (
    "apsw",
    "asyncio",
    "cryptography",
    "httpx2",
    "jsonschema",
    "mcp",
    "numpy",
    "mcp_daan.cloudflare",
    "mcp_daan.knowledge.base",
    "mcp_daan.tokens.keys",
    "mcp_daan.tools.d1",
    "mcp_daan.tools.lessons",
)
PROGRAM = """
import json, sys
from mcp_daan.app import App
from mcp_daan.toolbox import run
from mcp_daan.tools import find

app = App(sys.argv[1], {})
said = run(find("d1_query"), app.for_call(), {"database": "own", "sql": "SELECT 1 AS one"})
app.close()
print(json.dumps([said.answer["data"].get("rows"), sorted(sys.modules)]))
"""


def test_a_query_loads_its_own_room_and_no_other(workspace: Path) -> None:
    """From the start of the process to the rows."""
    (workspace / "daan.toml").write_text("[d1.databases.own]\npath = 'own.sqlite'\n")
    (workspace / "own.sqlite").touch()

    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(workspace)], capture_output=True, text=True, check=True, timeout=60
    )
    rows, loaded = json.loads(done.stdout)

    assert rows == [[1]]
    assert [name for name in LATER if name in loaded] == []
