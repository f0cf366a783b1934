"""Write what is generated: schema snapshots, the tool reference, the README's tables.

`python -m tests.generate` writes; the tests hold the files against `generated()`.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from bench.tokenizer import shown_to_model, token_counts
from mcp_daan.config import Settings
from mcp_daan.server.briefs import PROMPTS
from mcp_daan.server.calls import listed
from mcp_daan.server.catalog import FILE
from mcp_daan.server.offer import tool_behind
from mcp_daan.tools import all_tools, toolsets
from tests.oracle import results
from tests.transcript import transcript

ROOT = Path(__file__).parent.parent
SNAPSHOTS = ROOT / "tests" / "contract" / "schemas"


def generated() -> dict[Path, str]:
    """Every generated file with its text."""
    tools = listed(all_tools().values())
    files = {
        SNAPSHOTS / f"{tool['name']}.json": json.dumps(tool, ensure_ascii=False, indent=2) + "\n" for tool in tools
    }
    files[ROOT / "docs" / "tools.md"] = reference(tools)
    files[Path(FILE)] = json.dumps(catalog(), ensure_ascii=False, separators=(",", ":")) + "\n"
    readme, seen = ROOT / "README.md", ROOT / "docs" / "what-an-agent-sees.md"
    files[readme] = between(readme.read_text(encoding="utf-8"), "tools", overview(tools))
    files[seen] = between(seen.read_text(encoding="utf-8"), "transcript", transcript())
    return files


def catalog() -> dict:
    """What the front answers from: the SDK's own answers, and which of it stands and falls with which tool."""
    from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS

    lists = ["tools/list", "prompts/list", "resources/templates/list"]
    with tempfile.TemporaryDirectory() as folder:
        legacy = results(Path(folder), ["initialize", *lists], modern=False)
        modern = results(Path(folder), ["server/discover", "tools/list"], modern=True)
    rooms = {name: toolset for toolset, tools in toolsets().items() for name in tools}
    meta = modern["server/discover"].pop("_meta")
    told = ("instructions", "protocolVersion")  # depend on what is offered, and on who asks
    tools = [
        {
            "name": each["name"],
            "toolset": rooms[each["name"]],
            "readsOnly": all_tools()[each["name"]].reads_only,
            "needs": [each["name"]],
            "entry": each,
        }
        for each in legacy["tools/list"]["tools"]
    ]
    return {
        "versions": list(HANDSHAKE_PROTOCOL_VERSIONS),
        "initialize": {key: value for key, value in legacy["initialize"].items() if key not in told},
        "server/discover": {key: value for key, value in modern["server/discover"].items() if key not in told},
        "meta": meta,
        "steady": {key: modern["tools/list"][key] for key in ("cacheScope", "resultType", "ttlMs")},
        "tools": tools,
        "prompts": [
            {"needs": PROMPTS[each["name"]].needs, "entry": each} for each in legacy["prompts/list"]["prompts"]
        ],
        "resourceTemplates": [
            {"needs": [name] if (name := tool_behind(each["uriTemplate"])) else [], "entry": each}
            for each in legacy["resources/templates/list"]["resourceTemplates"]
        ],
        "variables": sorted(
            f"DAAN_{section}_{key}".upper()
            for section, field in Settings.model_fields.items()
            for key in getattr(field.annotation, "model_fields", ())
        ),
    }


def between(text: str, mark: str, content: str) -> str:
    """*text* with what stands between the two comments of *mark* replaced."""
    begin, end = f"<!-- {mark} -->", f"<!-- /{mark} -->"
    before, rest = text.split(begin, 1)
    return f"{before}{begin}\n{content}{end}{rest.split(end, 1)[1]}"


def overview(tools: list[dict]) -> str:
    """One row a tool: name, and what it is for."""
    rows = [f"| `{tool['name']}` | {tool['description'].splitlines()[0]} |" for tool in tools]
    return "\n".join(["| tool | what it is for |", "|---|---|", *rows]) + "\n"


def reference(tools: list[dict]) -> str:
    """A section a tool: description, what it costs in a model's context, arguments, fields of `data`."""
    counts = token_counts(shown_to_model(tools))
    parts = [
        "# Tools\n\nGenerated from the code; `make docs` writes it anew.\n",
        f"The list of all {len(tools)} tools costs {sum(counts):,} tokens of a model's context, of names, descriptions"
        " and input schemas in the encoding o200k; each tool's part stands beside its name.\n",
    ]
    for tool, count in zip(tools, counts, strict=True):
        schema = tool["inputSchema"]
        rows = [
            f"| `{name}` | {kind(value)} | {'yes' if name in schema.get('required', []) else 'no'} | {told(value)} |"
            for name, value in schema["properties"].items()
        ]
        fields = [
            f"| `{name}` | {kind(value)} | {told(value)} |"
            for name, value in tool["outputSchema"]["properties"]["data"]["properties"].items()
        ]
        reads = "reads only" if tool["annotations"]["readOnlyHint"] else "writes"
        head = [f"## {tool['name']}\n", f"*{tool['title']}* ({reads}; {count} tokens)\n", tool["description"] + "\n"]
        arguments = ["| argument | type | required | |", "|---|---|---|---|", *rows, ""]
        parts.append("\n".join([*head, *arguments, "| in `data` | type | |", "|---|---|---|", *fields, ""]))
    return "\n".join(parts)


def kind(schema: dict) -> str:
    """A schema in a few words."""
    if "enum" in schema:
        return ", ".join(f"`{each}`" for each in schema["enum"])
    if "const" in schema:
        return f"`{schema['const']}`"
    if "anyOf" in schema:
        return " or ".join(kind(each) for each in schema["anyOf"])
    if schema.get("type") == "array":
        return f"list of {kind(schema.get('items', {}))}"
    if schema.get("type") == "object" and "properties" in schema:
        return "{" + ", ".join(schema["properties"]) + "}"
    return str(schema.get("type", "any"))


def told(schema: dict) -> str:
    """The description and the default, on one line."""
    default = f" Default `{json.dumps(schema['default'], ensure_ascii=False)}`." if "default" in schema else ""
    return (schema.get("description", "").replace("\n", " ") + default).replace("|", "\\|").strip()


def walked(folder: Path) -> str:
    """What `mcp-daan demo` prints, as a block of the README; the workspace's path is left out."""
    program = str(Path(sys.executable).with_name("mcp-daan"))
    command = [program, "demo", "--dir", str(folder)]
    done = subprocess.run(
        command, cwd=folder.parent, capture_output=True, text=True, check=True, env={**os.environ, "COLUMNS": "120"}
    )
    shown = done.stdout.replace(str(folder), ".demo").replace(program, "mcp-daan").strip()
    return f"```text\n{shown}\n```\n"


def main() -> None:
    """Write every generated file, and the demo's output into the README."""
    files = generated()
    readme = ROOT / "README.md"
    with tempfile.TemporaryDirectory() as folder:
        files[readme] = between(files[readme], "demo", walked(Path(folder).resolve() / "demo"))
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        sys.stdout.write(f"{path.relative_to(ROOT)}\n")


if __name__ == "__main__":
    main()
