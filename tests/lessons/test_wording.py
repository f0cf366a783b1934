"""What a lesson's text may hold, and that it comes back as it was given."""

import time
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mcp_daan.errors import InvalidArguments, Refused
from mcp_daan.knowledge.lessons.handwritten import END, START
from mcp_daan.knowledge.lessons.lessons import Lesson, compose, lesson_id, parse
from mcp_daan.knowledge.lessons.view import rendered
from mcp_daan.knowledge.lessons.wording import checked, guarded, normalised, unguarded
from mcp_daan.knowledge.markdown import sections
from mcp_daan.scrub import Secrets

PIECES = [
    *("# x", "## x", "### x", "##", "#", "## Problem", "## Solution", "## Evidence", " ## Solution ", "#tag"),
    *(
        "```",
        "```sql",
        "~~~",
        "````",
        "===",
        "---",
        "- - -",
        "***",
        "<!--",
        "-->",
        "<pre>",
        "</pre>",
        "<Tabs>",
        "</Tabs>",
    ),
    *("<script>", "<?x", "<![CDATA[", "<div>", "\\# x", "\\\\## Solution", "\\```", "\\<!--", "\\---", "text", "", ""),
    *(
        "    indented",
        "\ttab",
        "> quote",
        "> ```",
        "- item",
        "1. one",
        "   ```",
        "  - ```",
        "| a | b |",
        "[a]: b",
        START,
        END,
    ),
]
LINES = st.lists(st.sampled_from(PIECES) | st.text("#`~<>-=\\ ab!/", max_size=8), min_size=1, max_size=12)
TEXTS = LINES.map("\n".join).map(normalised).filter(str.strip)


def lesson(problem: str, solution: str = "Fixed.", evidence: str | None = None, title: str = "A title") -> Lesson:
    """A lesson with these texts."""
    return Lesson(
        id=lesson_id(title, problem, solution),
        title=title,
        component="d1",
        date="2026-11-22",
        author="Lars",
        problem=problem,
        solution=solution,
        evidence=evidence,
        path="backend/lessons/x.md",
    )


@settings(max_examples=400, deadline=None)
@given(TEXTS, TEXTS, TEXTS | st.none())
def test_a_lesson_reads_back_as_it_was_written(problem: str, solution: str, evidence: str | None) -> None:
    """Whatever markdown its texts hold, also with the line endings of Windows."""
    written = lesson(problem, solution, evidence)

    assert written == parse(compose(written), written.path)
    assert written == parse(compose(written).replace("\n", "\r\n"), written.path)


@settings(max_examples=400, deadline=None)
@given(TEXTS, TEXTS)
def test_text_never_breaks_the_outline_of_the_lessons_file(problem: str, solution: str) -> None:
    """Every reader of markdown finds the sections that we wrote, and deeper ones only within them."""
    found = sections(compose(lesson(problem, solution, "seen")))

    top = [(each.level, each.title) for each in found if each.level <= 2]
    assert top == [(1, "A title"), (2, "Problem"), (2, "Solution"), (2, "Evidence")]


@settings(max_examples=300, deadline=None)
@given(TEXTS, TEXTS)
def test_text_never_breaks_the_outline_of_the_view(problem: str, solution: str) -> None:
    """Headings of lessons and of people stay where they are, and the view reads itself again."""
    human = "# Lessons learned\n\nOurs.\n"
    once = rendered(human, [lesson(problem, solution), replace(lesson("p"), title="Another")])

    found = [(each.level, each.title) for each in sections(f"{once}\n## After\n") if each.level <= 3]
    expected = [(1, "Lessons learned"), (2, "D1"), (3, "A title"), (3, "Another"), (2, "After")]
    assert expected == found
    assert once == rendered(once, [lesson(problem, solution), replace(lesson("p"), title="Another")])
    assert human.rstrip() == rendered(once, []).split(START)[0].rstrip()


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(PIECES) | st.text(max_size=8), max_size=12).map("\n".join), st.integers(1, 6))
def test_guarding_can_always_be_undone(text: str, deepest: int) -> None:
    """Reading needs to know nothing of why a line was guarded."""
    assert text == unguarded(guarded(text, deepest))


def test_markdown_that_breaks_nothing_is_left_readable() -> None:
    """Comments in code, deeper headings, rules, quotes and lists stand as they were."""
    text = "Run:\n\n```sh\n# install\n## twice\n```\n\n### Why\n\n---\n\n- a\n  - b\n\n> # quoted\n\n#tag <b>x</b>"

    assert text == guarded(text, 2)


@pytest.mark.parametrize(
    "text",
    [
        "```\n" * 5000,
        "<!--\n" * 4000,
        "> " * 9000 + "#",
        "- " * 9000,
        "# x\n" * 5000,
        "a\n===\n" * 3000,
        "<pre>\n```\n" * 2000,
    ],
    ids=["fences", "comments", "quotes", "lists", "headings", "underlines", "mixed"],
)
def test_guarding_a_hostile_text_takes_no_time(text: str) -> None:
    """Twenty thousand characters, whatever they are."""
    started = time.monotonic()

    assert text == unguarded(guarded(text, 2))
    assert time.monotonic() - started < 5


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("a\0b", "a control character"),
        ("a\x1b[31mb", "a control character"),
        ("a\x85b", "a control character"),
        ("a\u202eb", "an invisible or direction-changing character"),
        ("a\u200bb", "an invisible or direction-changing character"),
        ("a\ufeffb", "an invisible or direction-changing character"),
        ("a\u00adb", "an invisible or direction-changing character"),
        ("a\u200db", "an invisible or direction-changing character"),
        ("a\U000e0041b", "an invisible or direction-changing character"),
        ("a\U000e0101b", "an invisible or direction-changing character"),
        ("a\ufe01b", "an invisible or direction-changing character"),
        ("☁\ufe0f\ufe0fb", "an invisible or direction-changing character"),
        ("a\u3164b", "an invisible or direction-changing character"),
        ("a\u2028b", "a line separator"),
        ("a\u2029b", "a paragraph separator"),
        ("a\ud800b", "half a surrogate pair"),
    ],
    ids=ascii,
)
def test_text_that_nobody_sees_is_refused_with_the_reason(text: str, why: str) -> None:
    """Hidden text is how instructions are smuggled to the next agent."""
    with pytest.raises(Refused) as caught:
        checked("problem", text, Secrets().scrub)

    assert caught.value.message == f"`problem` holds {why}."


@pytest.mark.parametrize("text", ["één café", "日本語", "👩\u200d💻 ☁\ufe0f ❤\ufe0f\u200d🔥", "a\tb\r\nc", "O\u0301"])
def test_what_people_write_is_kept(text: str) -> None:
    """Accents, scripts, emoji, tabs; line endings become one kind."""
    assert checked("problem", text, Secrets().scrub) == text.replace("\r\n", "\n")


@pytest.mark.parametrize("name", ["title", "problem", "solution", "evidence", "author"])
def test_a_credential_is_refused_by_name_and_never_repeated(name: str) -> None:
    """By its shape, or because this process knows it."""
    known = "correct-horse-battery"
    for secret in ("ghp_" + "a1" * 20, known):
        with pytest.raises(Refused) as caught:
            checked(name, f"The key is {secret} here.", Secrets([known]).scrub)

        assert f"`{name}`" in caught.value.message
        assert secret not in caught.value.message + caught.value.advice


@pytest.mark.parametrize(
    ("name", "most"), [("title", 200), ("problem", 20_000), ("solution", 20_000), ("evidence", 20_000)]
)
def test_a_text_has_a_largest_size(name: str, most: int) -> None:
    """One character more is an invalid argument."""
    assert checked(name, "x" * most, Secrets().scrub) == "x" * most

    with pytest.raises(InvalidArguments) as caught:
        checked(name, "x" * (most + 1), Secrets().scrub)

    assert f"`{name}`" in caught.value.message


@pytest.mark.parametrize("text", ["a\nb", "a\rb", "a\r\nb"])
def test_a_title_is_one_line(text: str) -> None:
    """It is a heading."""
    with pytest.raises(Refused):
        checked("title", text, Secrets().scrub)


def test_blank_lines_around_a_text_are_dropped_and_its_indentation_stays() -> None:
    """So a code block at the start stays one."""
    assert normalised("\n \n    code\n\nx  \n\n") == "    code\n\nx"
