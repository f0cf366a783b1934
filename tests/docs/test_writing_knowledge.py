"""What docs/writing-knowledge.md shows is understood as it says."""

import re
from pathlib import Path

import pytest

from mcp_daan.knowledge.lessons.handwritten import handwritten
from mcp_daan.knowledge.validation.claims.reading import read_claims
from mcp_daan.knowledge.validation.claims.said import Claims
from mcp_daan.knowledge.validation.passages import parse_document

PAGE = (Path(__file__).parents[2] / "docs" / "writing-knowledge.md").read_text(encoding="utf-8")
EXAMPLE = re.findall(r"^~~~markdown\n(.*?)^~~~$", PAGE, re.M | re.S)[0]
BY_HEADING = re.split(r"(?m)^(?=## )", EXAMPLE)[1:]
FENCES = re.findall(r"```\w+\n.*?```\n", EXAMPLE, re.S)


def claims(text: str) -> Claims:
    """What *text* says as DATABASE.md, where there is a table `users`."""
    return read_claims(parse_document(text), frozenset({"users"}))


@pytest.mark.parametrize("part", [*BY_HEADING, FENCES[0]], ids=["table", "list", "statement"])
def test_each_way_to_describe_a_table_is_understood(part: str) -> None:
    """A table of columns, a list and a CREATE statement each say what `users` has."""
    columns = {(each.table, each.name, each.type) for each in claims(part).columns}

    assert columns >= {("users", "id", "INTEGER"), ("users", "email", "TEXT")}


def test_the_diagram_is_understood() -> None:
    """Its entities are tables, its attributes columns."""
    said = claims(FENCES[1])

    assert {each.name for each in said.tables} == {"users", "connections"}
    assert said.unread == []


def test_nothing_of_the_example_is_left_unread() -> None:
    """A reader who copies it gets no `unchecked`."""
    unread = claims(EXAMPLE).unread

    assert unread == []


@pytest.mark.parametrize(
    "sentence",
    [
        "`users.phone` was removed.",
        "~~`users.phone`~~ holds a number.",
        "## Planned\n\n`users.phone` holds a number.",
        "<!-- daan:ignore -->\n\n`users.phone` holds a number.",
    ],
)
def test_what_is_said_not_to_be_checked_makes_no_claim(sentence: str) -> None:
    """Each way to set a statement aside works, and without it the statement is one."""
    plain = claims("`users.phone` holds a number.").columns

    assert [each.name for each in plain] == ["phone"]
    assert claims(sentence).columns == []


def test_an_index_is_read_with_its_columns() -> None:
    """The form that the page gives says the index, the table and the column."""
    item = re.findall(r"`` (- `idx_.*?) ``", PAGE)[0]

    indexes = claims(f"## users\n\n### Indexes\n\n{item}\n").indexes

    assert [(each.name, each.table, each.columns) for each in indexes] == [("idx_users_email", "users", ("email",))]


def test_the_lesson_by_hand_is_a_lesson_with_both_parts() -> None:
    """Problem and solution are told apart."""
    text = re.findall(r"```markdown\n(## Bind.*?)```", PAGE, re.S)[0]

    lessons = [(each.title, bool(each.problem), bool(each.solution)) for each in handwritten(f"# Lessons\n\n{text}")]

    assert lessons == [("Bind at most 100 parameters", True, True)]
