"""Write the list of wrangler's keys that we carry, from the wrangler of the test set.

`python -m tests.workers.generate` writes it; a test holds it against `generated()`.
Only facts are taken over: names of keys, their types, which of them environments do not inherit.
"""

import json
import re
import sys
import tempfile
from pathlib import Path
from typing import Any

from mcp_daan.workers.configuration.known import CARRIED
from tests.node.packages import installed
from tests.workers.says import wrangler_says

# What a validator needs; the prose is wrangler's own.
FACTS = frozenset("type properties additionalProperties required enum const items anyOf allOf $ref definitions".split())
EMPTY: dict[str, Any] = {"object": {}, "array": [], "string": "", "boolean": False, "number": 0}
_ABSENT = re.compile(r'"([\w-]+)" exists at the top level, but not on "env\.other"')


def generated() -> str:
    """The list as JSON text."""
    package = installed("wrangler") / "node_modules" / "wrangler"
    schema = facts(json.loads((package / "config-schema.json").read_text(encoding="utf-8")))
    top = schema["definitions"]["RawConfig"]["properties"]
    listed = {
        "wrangler": json.loads((package / "package.json").read_text(encoding="utf-8"))["version"],
        "node": json.loads((package / "package.json").read_text(encoding="utf-8"))["engines"]["node"],
        "notInherited": not_inherited(top),
        "schema": schema,
    }
    return json.dumps(listed, indent=None, separators=(",", ":"), sort_keys=True) + "\n"


def facts(schema: Any) -> Any:
    """*schema* without prose, defaults and examples; names of definitions are numbers where they are long."""
    names = {name: name if len(name) < 50 else f"Part{at}" for at, name in enumerate(schema["definitions"])}

    def walk(node: Any, *, named: bool = False) -> Any:
        if isinstance(node, list):
            return [walk(each) for each in node]
        if not isinstance(node, dict):
            return node
        kept = {names.get(key, key) if named else key: value for key, value in node.items() if named or key in FACTS}
        if "$ref" in kept and not named:
            return {"$ref": "#/definitions/" + names[kept["$ref"].rsplit("/", 1)[1]]}
        return {
            key: value
            if key in ("enum", "const", "required") and not named
            else walk(value, named=key in ("properties", "definitions") and not named)
            for key, value in kept.items()
        }

    walked: Any = walk(schema)
    return walked


def not_inherited(keys: dict[str, Any]) -> list[str]:
    """The keys of which wrangler says that an environment does not inherit them, by asking it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "wrangler.json"
        given = {key: EMPTY[types.get("type", "object")] for key, types in keys.items() if key != "env"}
        path.write_text(json.dumps({**given, "env": {"other": {}}}))
        (said,) = wrangler_says([(path, "other")])
    return sorted(set(_ABSENT.findall(said.warned)))


if __name__ == "__main__":
    CARRIED.write_text(generated(), encoding="utf-8")
    sys.stdout.write(f"{CARRIED.name}: {CARRIED.stat().st_size} bytes\n")
