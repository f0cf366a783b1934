"""The knowledge base that ships: complete, sourced, dated, without secrets, with links that lead somewhere."""

import re
from datetime import date
from pathlib import Path

import pytest

from mcp_daan.knowledge.base import SUFFIXES
from mcp_daan.knowledge.lessons.handwritten import handwritten
from mcp_daan.knowledge.markdown import front_matter
from mcp_daan.knowledge.validation.claims.reading import read_claims
from mcp_daan.knowledge.validation.limits import limit_findings
from mcp_daan.knowledge.validation.passages import parse_document
from mcp_daan.protocol import Component
from mcp_daan.scrub import shaped

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "knowledge" / "backend"
FOUR = ("VERSION.md", "DATABASE.md", "LESSONS-LEARNED.md", "TEST-SCENARIOS.md")
DOCUMENTS = sorted((ROOT / "knowledge").rglob("*.md"))
SCRAPED = sorted((FOLDER / "scraped").glob("*.md"))
COMPONENTS = {"backend", "d1", "workers", "oauth", "astro"}
PITFALLS = (
    (r"rows read", r"LIMIT"),
    (r"AES-256-GCM", r"TOKEN_ENCRYPTION_KEY"),
    (r"cold start", r"handler"),
    (r"KV is eventually consistent", r"D1 or a Durable Object"),
)


def names(paths: list[Path]) -> list[str]:
    """What tests are called by."""
    return [path.relative_to(ROOT).as_posix() for path in paths]


def test_the_four_files_and_enough_pages_are_there() -> None:
    """Every task begins with these four; the pages are what agents search."""
    missing = [name for name in FOUR if not (FOLDER / name).is_file()]

    assert missing == []
    assert len(SCRAPED) >= 6


def test_everything_that_ships_is_a_document() -> None:
    """The wheel takes the whole folder: no other file may lie in it."""
    others = [path for path in (ROOT / "knowledge").rglob("*") if path.is_file() and path.suffix not in SUFFIXES]

    assert others == []


@pytest.mark.parametrize("path", SCRAPED, ids=names(SCRAPED))
def test_a_scraped_page_names_its_source_and_its_day(path: Path) -> None:
    """Whoever reads a figure can look where it is from, and how old it is."""
    front, _ = front_matter(path.read_text(encoding="utf-8"))

    assert front["source"].startswith("https://")
    assert date.fromisoformat(front["scraped_at"]) >= date(2026, 1, 1)
    assert front["title"]


@pytest.mark.parametrize("path", DOCUMENTS, ids=names(DOCUMENTS))
def test_a_document_says_its_component_and_holds_no_secret(path: Path) -> None:
    """Nothing of a credential's shape ships, not even as an example."""
    text = path.read_text(encoding="utf-8")

    assert not shaped(text)
    assert front_matter(text)[0]["component"] in COMPONENTS


@pytest.mark.parametrize("path", DOCUMENTS, ids=names(DOCUMENTS))
def test_a_limit_that_a_document_states_is_todays(path: Path) -> None:
    """What ships passes the check that a team's own documents have to pass."""
    text = path.read_text(encoding="utf-8")
    component = front_matter(text)[0]["component"]

    assert list(limit_findings(path.name, parse_document(text), component=component)) == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=names(DOCUMENTS))
def test_a_relative_link_leads_to_a_document(path: Path) -> None:
    """Links resolve inside the knowledge base, wherever it is copied."""
    targets = re.findall(r"\]\((?!https?:|#)([^)#\s]+)", path.read_text(encoding="utf-8"))

    assert [target for target in targets if not (path.parent / target).is_file()] == []
    assert all((path.parent / target).resolve().is_relative_to(ROOT / "knowledge") for target in targets)


def test_every_lesson_has_a_problem_a_solution_and_a_component() -> None:
    """Each section of the page is a whole lesson to the tools."""
    lessons = handwritten((FOLDER / "LESSONS-LEARNED.md").read_text(encoding="utf-8"))
    components: set[Component | None] = {each.component for each in lessons}

    assert [each.title for each in lessons if not each.problem or not each.solution] == []
    assert components == {"d1", "workers", "oauth", "astro"}
    assert len({each.title for each in lessons}) == len(lessons) >= 12


@pytest.mark.parametrize("words", PITFALLS, ids=[first for first, _ in PITFALLS])
def test_the_pitfalls_that_the_team_knows_are_lessons(words: tuple[str, str]) -> None:
    """Rows read, sealed tokens, cold starts and KV: the problem names it, the solution says what to do."""
    lessons = handwritten((FOLDER / "LESSONS-LEARNED.md").read_text(encoding="utf-8"))
    whole = [f"{each.title} {each.problem} {each.solution}" for each in lessons]

    assert [text for text in whole if all(re.search(word, text, re.I) for word in words)]


def test_the_schema_is_held_against_a_database_only_once_its_mark_is_deleted() -> None:
    """As it ships it is a convention; a team that copies it gets a description that can be checked, whole."""
    text = (FOLDER / "DATABASE.md").read_text(encoding="utf-8")
    shipped = read_claims(parse_document(text), frozenset())
    copied = read_claims(parse_document(text.replace("<!-- daan:ignore -->", "")), frozenset())

    assert (shipped.tables, shipped.columns, shipped.indexes) == ([], [], [])
    assert {each.name for each in copied.tables} == {"users", "connections", "api_keys", "audit_log"}
    assert (len(copied.indexes), copied.unread) == (7, [])


def test_the_version_stands_in_the_text_as_in_the_front_matter() -> None:
    """People read the text, tools the front matter."""
    text = (FOLDER / "VERSION.md").read_text(encoding="utf-8")
    front, _ = front_matter(text)
    expected = (f"Version: {front['version']}", f"Date: {front['date']}")

    assert expected == tuple(line for line in text.splitlines() if re.match(r"(?:Version|Date): ", line))
