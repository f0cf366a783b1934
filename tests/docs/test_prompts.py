"""The prompts and pages name only what is there: placeholders that are filled, tools that can be called."""

import json
import re
from pathlib import Path
from string import Template

import pytest

from mcp_daan.protocol import Answer
from mcp_daan.server.briefs import FACTS, PROMPTS
from mcp_daan.tools import all_tools

ROOT = Path(__file__).parents[2]
PROMPT_FILES = sorted((ROOT / "mcp_daan" / "prompts").glob("*.md"))
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")), *sorted((ROOT / "knowledge").rglob("*.md"))]
TOOL = re.compile(r"`((?:knowledge|lessons|d1|tokens|oauth|workers|kv|infra)_[a-z_]+)`")
# A table that wrangler makes, and a key of its configuration.
NO_TOOLS = {"kv_namespace_missing", "d1_shared", "d1_preview_id", "d1_migrations", "kv_namespaces"}
PROTOCOL_KEYS = 7


def name(path: Path) -> str:
    """What a test is called by."""
    return path.relative_to(ROOT).as_posix()


def test_every_prompt_has_its_file_and_every_file_its_prompt() -> None:
    """A language that a prompt speaks is a file, and a file is of a prompt."""
    needed = {f"{prompt}.{brief.language}.md" for prompt, brief in PROMPTS.items()} | {"daan.nl.md", "daan.en.md"}
    files = {path.name for path in PROMPT_FILES}

    assert needed <= files
    assert {file.split(".")[0] for file in files} == set(PROMPTS)


@pytest.mark.parametrize("path", PROMPT_FILES, ids=name)
def test_a_placeholder_is_an_argument_or_a_fact(path: Path) -> None:
    """What is left to fill in can be filled in, and every argument but the language is used."""
    template = Template(path.read_text(encoding="utf-8"))
    arguments = set(PROMPTS[path.name.split(".")[0]].arguments) - {"language"}

    assert template.is_valid()
    assert arguments <= set(template.get_identifiers()) <= arguments | set(FACTS)


@pytest.mark.parametrize("path", [*PROMPT_FILES, *PAGES], ids=name)
def test_a_tool_that_is_named_exists(path: Path) -> None:
    """Nobody is sent to a tool that cannot be called."""
    named = set(TOOL.findall(path.read_text(encoding="utf-8"))) - NO_TOOLS - set(PROMPTS)

    assert named <= set(all_tools())


@pytest.mark.parametrize("path", [path for path in PROMPT_FILES if path.name.startswith("daan.")], ids=name)
def test_the_brief_shows_the_seven_keys_of_the_protocol(path: Path) -> None:
    """The specialist closes with the first seven keys of every answer, in their order."""
    shown = json.loads(re.findall(r"```json\n(.*?)```", path.read_text(encoding="utf-8"), re.S)[0])
    expected = [field.alias for field in Answer.model_fields.values()][:PROTOCOL_KEYS]

    assert expected == list(shown)


@pytest.mark.parametrize("path", [path for path in PROMPT_FILES if path.name.startswith("daan.")], ids=name)
@pytest.mark.parametrize(
    "word", ["Kees", "Ruben", "Joost", "Lars", "VERSION", "TEST-SCENARIOS", "AES-256-GCM", "realtime"]
)
def test_the_brief_is_whole_in_both_languages(path: Path, word: str) -> None:
    """The people, the files and the pitfalls stand in each."""
    assert word in path.read_text(encoding="utf-8")


@pytest.mark.parametrize("path", PAGES, ids=name)
def test_a_relative_link_of_a_page_leads_to_a_file(path: Path) -> None:
    """Readers are not sent into the void."""
    text = re.sub(r"~~~.*?~~~|``.*?``", "", path.read_text(encoding="utf-8"), flags=re.S)
    targets = re.findall(r"\]\((?!https?:|#)([^)#\s]+)", text)

    assert [target for target in targets if not (path.parent / target).exists()] == []
