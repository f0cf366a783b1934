"""The real KV engine, workerd under miniflare, for tests that hold our files against it."""

import base64
import json
import subprocess
from pathlib import Path
from typing import Any

from tests.node.packages import BIN, installed


def in_kv(state: Path, namespace_id: str, *requests: dict[str, Any]) -> list[dict[str, Any]]:
    """What KV answers to *requests* (see kv.mjs) on the namespace kept below *state*."""
    done = subprocess.run(
        [BIN / "node", installed("engine") / "kv.mjs", state, namespace_id],
        input="".join(json.dumps(each) + "\n" for each in requests),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    answers = [json.loads(line) for line in done.stdout.split("\n") if line]
    assert [each for each in answers if "error" in each] == []
    return answers


def put(name: str, value: bytes | str, **options: Any) -> dict[str, Any]:
    """The request that writes *value*; *options* are expirationTtl and metadata."""
    raw = value.encode() if isinstance(value, str) else value
    return {"put": name, "base64": base64.b64encode(raw).decode(), **options}
