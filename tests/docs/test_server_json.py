"""server.json is what the MCP Registry takes, and agrees with the package."""

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from mcp_daan.secret_names import secret_name

ROOT = Path(__file__).parents[2]
NAME = "io.github.mcp-daan/mcp-daan"
TEXT: dict[str, Any] = {"type": "string", "minLength": 1}
# The documented fields of the registry's schema of 2025-12-11 that we use; others are refused here, so that a
# misspelled one cannot slip through.
VARIABLE = {
    "type": "object",
    "required": ["name", "description"],
    "additionalProperties": False,
    "properties": {
        "name": {"type": "string", "pattern": "^[A-Z][A-Z0-9_]*$"},
        "description": TEXT,
        "format": {"enum": ["string", "number", "boolean", "filepath"]},
        "isRequired": {"type": "boolean"},
        "isSecret": {"type": "boolean"},
        "default": {"type": "string"},
        "choices": {"type": "array", "items": {"type": "string"}},
    },
}
PACKAGE = {
    "type": "object",
    "required": ["registryType", "identifier", "version", "runtimeHint", "transport"],
    "additionalProperties": False,
    "properties": {
        "registryType": {"const": "pypi"},
        "identifier": TEXT,
        "version": {"type": "string", "minLength": 1, "not": {"pattern": r"latest|[\^~<>=*x]"}},
        "runtimeHint": {"const": "uvx"},
        "transport": {
            "type": "object",
            "required": ["type"],
            "additionalProperties": False,
            "properties": {"type": {"const": "stdio"}},
        },
        "environmentVariables": {"type": "array", "items": VARIABLE},
    },
}
SERVER = {
    "type": "object",
    "required": ["$schema", "name", "description", "version", "packages"],
    "additionalProperties": False,
    "properties": {
        "$schema": {"const": "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json"},
        "name": {"type": "string", "minLength": 3, "maxLength": 200, "pattern": "^[a-zA-Z0-9.-]+/[a-zA-Z0-9._-]+$"},
        "title": {"type": "string", "minLength": 1, "maxLength": 100},
        "description": {"type": "string", "minLength": 1, "maxLength": 100},
        "version": {"type": "string", "maxLength": 255, "pattern": r"^\d+\.\d+\.\d+$"},
        "packages": {"type": "array", "minItems": 1, "items": PACKAGE},
    },
}


@pytest.fixture
def server() -> dict[str, Any]:
    """What server.json says."""
    read: dict[str, Any] = json.loads((ROOT / "server.json").read_text(encoding="utf-8"))
    return read


@pytest.fixture
def project() -> dict[str, Any]:
    """What pyproject.toml says of the project."""
    read: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return read


def test_the_fields_are_those_that_the_registry_takes(server: dict[str, Any]) -> None:
    """Required fields, lengths and patterns hold, and no field is misspelled."""
    errors = [error.message for error in jsonschema.Draft7Validator(SERVER).iter_errors(server)]

    assert errors == []


def test_name_and_version_are_those_of_the_package(server: dict[str, Any], project: dict[str, Any]) -> None:
    """Both versions are pyproject's, and the package is ours."""
    package = server["packages"][0]
    expected = (NAME, project["version"], project["name"], project["version"])

    assert expected == (server["name"], server["version"], package["identifier"], package["version"])


def test_the_readme_proves_that_the_package_is_ours(server: dict[str, Any]) -> None:
    """The registry looks for this comment in the package's description."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")

    assert [server["name"]] == re.findall(r"<!-- mcp-name: (\S+) -->", readme)


def test_variables_that_hold_secrets_say_so(server: dict[str, Any]) -> None:
    """A client hides what is marked as secret."""
    variables = server["packages"][0]["environmentVariables"]
    # By the rule for names a key is a secret only as `api_key` or `private_key`; an encryption key is one too.
    expected = {each["name"]: secret_name(each["name"]) or "KEY" in each["name"] for each in variables}

    assert expected == {each["name"]: each.get("isSecret", False) for each in variables}


def test_the_changelog_has_the_version_at_its_top(project: dict[str, Any]) -> None:
    """The newest released heading of the changelog is the version that is built."""
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")

    assert project["version"] == re.findall(r"^## \[(\d[^\]]*)\]", changelog, re.M)[0]
