"""The switches at start, through the real command and the SDK's client."""

import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from mcp import Client, MCPError
from mcp.client.stdio import StdioServerParameters

from mcp_daan.cli import main
from mcp_daan.errors import InvalidArguments
from mcp_daan.server.instructions import THEN, instructions
from mcp_daan.server.offer import SCOPES, Offer
from mcp_daan.server.switches import Switches
from mcp_daan.tools import all_tools, scope_of, toolsets

WRITING = ["lessons_append"]
LESSON = {"title": "A title", "problem": "It broke.", "solution": "It was mended.", "component": "d1"}


@asynccontextmanager
async def connected(workspace: Path, *typed: str, **variables: str) -> AsyncIterator[Client]:
    server = StdioServerParameters(
        command=sys.executable,
        args=["-m", "mcp_daan", "serve", "--workspace", str(workspace), *typed],
        env={**os.environ, **variables},
    )
    async with Client(server) as client:
        yield client


def refused(capsys: pytest.CaptureFixture[str], *typed: str) -> str:
    """What `mcp-daan` says when it does not start."""
    try:
        code = main(list(typed))
    except SystemExit as ended:
        code = ended.code
    assert code == 2
    return capsys.readouterr().err


@pytest.mark.parametrize(
    ("typed", "variables"),
    [
        (["--read-only"], {}),
        ([], {"DAAN_READ_ONLY": "true"}),
        (["--read-only", "--tools", "lessons_append,lessons_list", "--toolsets", "knowledge"], {}),
        (["--tools", "lessons_append,lessons_list"], {"DAAN_READ_ONLY": "1"}),
    ],
    ids=["switch", "variable", "over names", "variable over names"],
)
@pytest.mark.asyncio
async def test_reading_only_is_over_everything(workspace: Path, typed: list[str], variables: dict[str, str]) -> None:
    """No writing tool is listed, none can be called, and nothing was written."""
    async with connected(workspace, *typed, **variables) as client:
        tools = (await client.list_tools()).tools
        with pytest.raises(MCPError) as caught:
            await client.call_tool("lessons_append", LESSON)
        prompts = [prompt.name for prompt in (await client.list_prompts()).prompts]

    assert [tool.name for tool in tools if not tool.annotations.read_only_hint] == []
    assert (caught.value.code, "no such tool" in caught.value.message) == (-32602, True)
    assert "lessons_retro" not in prompts
    assert list(workspace.iterdir()) == []


@pytest.mark.asyncio
async def test_what_is_not_offered_shows_up_nowhere(workspace: Path) -> None:
    """Neither as a resource, nor a template, a prompt, a completion, an instruction or a fact in a prompt."""
    from mcp_types import ResourceTemplateReference

    (workspace / "docs" / "knowledge" / "backend").mkdir(parents=True)
    (workspace / "docs" / "knowledge" / "backend" / "DATABASE.md").write_text("# Tables\n")
    async with connected(workspace, "--toolsets", "d1", "--exclude-tools", "d1_check") as client:
        tools = [tool.name for tool in (await client.list_tools()).tools]
        resources = [each.uri for each in (await client.list_resources()).resources]
        templates = [each.uri_template for each in (await client.list_resource_templates()).resource_templates]
        prompts = [prompt.name for prompt in (await client.list_prompts()).prompts]
        text = (await client.get_prompt("daan", {"opdracht": "x"})).messages[0].content.text
        reference = ResourceTemplateReference(uri="knowledge://backend/{path}")
        paths = (await client.complete(reference, {"name": "path", "value": ""})).completion.values
        told = client.instructions
        for uri in ("knowledge://backend/DATABASE.md", "daan://status"):
            with pytest.raises(MCPError):
                await client.read_resource(uri)
        with pytest.raises(MCPError):
            await client.get_prompt("token_incident", {})

    assert tools == [name for name in toolsets()["d1"] if name != "d1_check"]
    assert (resources, templates) == (
        ["daan://output-protocol", "skill://migration-review/SKILL.md"],
        ["d1://{database}/schema"],
    )
    assert prompts == ["daan", "migration_review"]
    assert "kennisbank: (not offered here)" in text
    assert "Not offered by this server: `knowledge_validate`" in text
    assert paths == []
    assert [name for name in all_tools() if name not in tools and f"`{name}`" in told] == []


def names(**given: str | bool) -> list[str]:
    return list(Switches(**given).offer().tools)


def test_toolsets_and_tools_add_up_and_what_is_excluded_goes() -> None:
    """The order stays that of the full list."""
    tokens, d1 = list(toolsets()["tokens"]), list(toolsets()["d1"])

    assert names() == list(all_tools())
    assert names(toolsets="tokens, d1") == [*d1, *tokens]
    assert names(tools="d1_query,knowledge_read") == ["knowledge_read", "d1_query"]
    assert names(toolsets="tokens", tools="d1_query") == ["d1_query", *tokens]
    assert names(toolsets="d1", exclude_tools="d1_query") == [name for name in d1 if name != "d1_query"]
    assert names(exclude_tools="d1_query") == [name for name in all_tools() if name != "d1_query"]


@pytest.mark.parametrize(
    ("typed", "named"),
    [
        (["serve", "--read-onyl"], "--read-only"),
        (["--read-onyl"], "--read-only"),
        (["serve", "--read"], "--read-only"),
        (["serve", "--tool", "d1_query"], "--tools"),
        (["serve", "--tools", "d1_qery"], "d1_query"),
        (["serve", "--toolsets", "database"], "knowledge, d1, tokens, infra"),
        (["serve", "--exclude-tools", "lesson_append"], "lessons_append"),
        (["serve", "--tools", ""], "d1_query"),
        (["serve", "--toolsets", "tokens", "--exclude-tools", "tokens_health,oauth_check"], "leave no tool"),
        (["--read-only", "doctor"], "--read-only"),
        (["doctor", "--read-only"], "--read-only"),
        (["call", "d1_databases", "--jsno"], "--strict"),
        (["serve", "--exclude-tools", "d1_query", "--exclude-tools", "d1_schema"], "with commas"),
        (["--exclude-tools", "d1_query", "serve", "--exclude-tools=d1_schema"], "with commas"),
        (["--tools", "d1_query", "--tools", "d1_schema"], "with commas"),
    ],
)
def test_a_misspelt_switch_or_name_is_an_error_that_names_the_known_ones(
    workspace: Path, capsys: pytest.CaptureFixture[str], typed: list[str], named: str
) -> None:
    """Nothing is ignored: a server that was thought to be read-only must not be able to write."""
    if typed[:2] == ["serve", "--toolsets"] and "oauth_check" not in all_tools():
        typed = [each.replace(",oauth_check", "") for each in typed]

    assert named in refused(capsys, *typed, *(["--workspace", str(workspace)] if typed != ["--read-onyl"] else []))


@pytest.mark.parametrize(
    ("variables", "named"),
    [
        ({"DAAN_READONLY": "true"}, "DAAN_READ_ONLY"),
        ({"DAAN_READ_ONLY": "ture"}, "neither true nor false"),
        ({"DAAN_TOOLSET": "d1"}, "DAAN_TOOLSETS"),
        ({"DAAN_TOOLS": "d1_qery"}, "d1_query"),
        ({"daan_read_only": "true"}, "DAAN_READ_ONLY"),
        ({"Daan_Toolsets": "d1"}, "DAAN_TOOLSETS"),
    ],
)
def test_a_misspelt_variable_is_an_error_before_anything_is_served(
    workspace: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    variables: dict[str, str],
    named: str,
) -> None:
    """A variable that nobody reads may have been meant to keep the server from writing."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)

    assert named in refused(capsys, "serve", "--workspace", str(workspace))


@pytest.mark.parametrize("name", ["read_only", "tools", "exclude_tools", "toolsets"])
def test_a_value_that_was_left_unfilled_counts_as_not_set(name: str) -> None:
    """As a switch and as a variable."""
    unfilled = "${user_config.value}"
    given = {} if name == "read_only" else {name: unfilled}

    assert names() == list(Switches(**given).over({f"DAAN_{name.upper()}": unfilled}).offer().tools)


def test_a_name_that_was_left_unfilled_takes_no_other_along() -> None:
    """What stands beside it was meant: a tool that is to be excluded is excluded, and no more is offered than was named."""
    excluded = Switches(exclude_tools="${user_config.more}, d1_query").over({})
    named = Switches().over({"DAAN_TOOLS": "d1_query,${MORE}"})
    nothing = Switches(tools="${ONE},${TWO}").over({"DAAN_TOOLSETS": " ${SETS}"})

    assert list(excluded.offer().tools) == [name for name in all_tools() if name != "d1_query"]
    assert list(named.offer().tools) == ["d1_query"]
    assert list(nothing.offer().tools) == list(all_tools())


def test_the_command_line_comes_before_the_environment_and_an_unfilled_one_does_not() -> None:
    """What a person typed is meant; what a client passed on may be empty."""
    environment = {"DAAN_TOOLS": "d1_query", "DAAN_READ_ONLY": "", "DAAN_EXCLUDE_TOOLS": ""}

    typed = Switches(tools="d1_schema").over(environment)
    unfilled = Switches(tools="${tools}").over(environment)

    assert (typed.tools, typed.exclude_tools, unfilled.tools) == ("d1_schema", None, "d1_query")


def test_settings_and_folders_that_were_left_unfilled_count_as_not_set(
    workspace: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the file, in variables, on the command line; an unknown key is still an error."""
    from mcp_daan.app import App

    (workspace / "daan.toml").write_text(
        '[knowledge]\npath = "${KNOWLEDGE}"\n[tokens]\nkey_file = "${user_config.key}"\n'
    )
    monkeypatch.chdir(workspace)
    app = App("${user_config.folder}", {"TOKEN_ENCRYPTION_KEY": "${user_config.key}", "DAAN_D1_PERSIST": "${STATE}"})
    code = main(["call", "d1_databases", "--workspace", "${user_config.folder}", "--tools", "${user_config.tools}"])
    answer = json.loads(capsys.readouterr().out)

    assert app.workspace.root == workspace
    assert (app.settings.knowledge.path, app.settings.tokens.key_file) == ("docs/knowledge", None)
    assert (dict(app.environment), code, answer["status"]) == ({}, 0, "complete")
    (workspace / "daan.toml").write_text('[knowledge]\npaht = "${KNOWLEDGE}"\n')
    with pytest.raises(InvalidArguments) as caught:
        _ = app.for_call().settings
    assert "knowledge.paht" in caught.value.message


def test_call_and_tools_heed_the_switches_too(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A script that may only read cannot write through another command."""
    code = main(["call", "--read-only", "lessons_append", json.dumps(LESSON), "--workspace", str(workspace)])
    answer = json.loads(capsys.readouterr().out)
    main(["tools", "--json", "--toolsets", "tokens"])
    listed = [tool["name"] for tool in json.loads(capsys.readouterr().out)]

    assert (code, answer["error"]["code"], list(workspace.iterdir())) == (2, "not_found", [])
    assert listed == list(toolsets()["tokens"])


def test_the_full_server_starts_without_loading_its_tools() -> None:
    """They are most of the start, and a client first shakes hands."""
    program = "import sys; from mcp_daan.server.switches import Switches; from mcp_daan.server.instructions import instructions"
    program += "; instructions(Switches().offer()); print([name for name in sys.modules if 'mcp_daan.tools.' in name])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert done.stdout == "[]\n"


def test_every_tool_has_a_known_scope_and_the_instructions_name_only_tools() -> None:
    """What writes asks for more than what reads."""
    scopes = {name: scope_of(name) for name in all_tools()}

    assert set(scopes.values()) <= set(SCOPES)
    assert [name for name, scope in scopes.items() if scope.endswith(":write")] == WRITING
    assert {name for group, _ in THEN for name in group} <= set(all_tools())
    assert "`lessons_append`" in instructions(Offer())
    assert Switches().offer().tools == Offer().tools
