"""What the registry of MCP servers is told of us holds its rules, which it ships in no package."""

import json
import re
import tomllib
from pathlib import Path

from mcp_daan.config import OWN_VARIABLES
from mcp_daan.secret_names import secret_name

ROOT = Path(__file__).parents[2]
SERVER = json.loads((ROOT / "server.json").read_text(encoding="utf-8"))
(PACKAGE,) = SERVER["packages"]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def test_the_entry_holds_the_rules_of_the_registry() -> None:
    """Schema 2025-12-11: a name of two parts, a short description, exact versions, nothing it does not know."""
    assert re.fullmatch(r"[a-zA-Z0-9.-]+/[a-zA-Z0-9._-]+", SERVER["name"])
    assert 1 <= len(SERVER["description"]) <= 100
    assert set(SERVER) <= {"$schema", "name", "title", "description", "version", "repository", "websiteUrl", "packages"}
    assert set(PACKAGE) == {
        "registryType",
        "identifier",
        "version",
        "runtimeHint",
        "transport",
        "environmentVariables",
    }
    assert (PACKAGE["registryType"], PACKAGE["runtimeHint"], PACKAGE["transport"]) == ("pypi", "uvx", {"type": "stdio"})
    assert {SERVER["version"], PACKAGE["version"]} == {PROJECT["version"]}
    assert PACKAGE["identifier"] == PROJECT["name"]


def test_the_readme_says_whose_the_package_is() -> None:
    """The registry looks for this line in what the package index shows."""
    assert PROJECT["readme"] == "README.md"
    assert f"<!-- mcp-name: {SERVER['name']} -->" in (ROOT / "README.md").read_text(encoding="utf-8").splitlines()


def test_each_variable_is_one_that_is_read_and_a_secret_is_marked_as_one() -> None:
    """A client asks for them by these words, and keeps a secret in its key store."""
    variables = {each["name"]: each for each in PACKAGE["environmentVariables"]}
    sources = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "mcp_daan").rglob("*.py"))

    assert [name for name in variables if name not in OWN_VARIABLES and f'"{name}"' not in sources] == []
    assert [name for name, each in variables.items() if each.get("isSecret")] == [
        name for name in variables if secret_name(name) or name in ("CLOUDFLARE_API_TOKEN", "TOKEN_ENCRYPTION_KEY")
    ]
    assert {each["format"] for each in variables.values()} <= {"string", "number", "boolean", "filepath"}
    assert [name for name, each in variables.items() if not each["description"].endswith(".")] == []
    assert {"DAAN_WORKSPACE", "CLOUDFLARE_API_TOKEN", "CLOUDFLARE_ACCOUNT_ID", "DAAN_READ_ONLY"} <= set(variables)
