"""A snippet is the text's own, short, and where the words are."""

import time

from hypothesis import given
from hypothesis import strategies as st

from mcp_daan.knowledge.retrieval.snippets import LENGTH, snippet, tail


@given(st.text(max_size=2000), st.lists(st.text(min_size=1, max_size=8), max_size=5))
def test_a_snippet_is_a_bounded_piece_of_the_text(text: str, wanted: list[str]) -> None:
    """Verbatim, whatever is wanted."""
    cut = snippet(text, wanted)

    assert len(cut) <= LENGTH
    assert cut in text
    assert cut != "" or text.strip() == "" or len(text) > LENGTH


def test_a_snippet_shows_where_most_of_the_words_stand_together() -> None:
    """Not merely where the first of them stands."""
    text = "refresh. " + "filler text that says nothing. " * 40 + "The refresh tokens expire soon. " + "filler. " * 100

    assert "refresh tokens expire" in snippet(text, ["refresh", "token", "expires"])


def test_a_snippet_begins_with_its_line_and_ends_with_a_word() -> None:
    """So that it reads well."""
    text = "filler\n" * 100 + "| needle | a row of a table |\n" + "some words " * 50
    cut = snippet(text, ["needle"])

    assert cut.startswith("| needle |")
    assert cut.endswith(("some", "words"))


def test_a_word_in_a_line_without_end_is_shown_with_what_stands_before_it() -> None:
    """A minified line has no near begin."""
    cut = snippet("x" * 5000 + " before needle after " + "y" * 5000, ["needle"])

    assert cut.startswith("before needle after")


def test_without_a_word_to_show_the_begin_is_shown() -> None:
    """The heading was what matched."""
    assert snippet("\n\nBegin of a text. " + "more " * 100, ["absent"]).startswith("Begin of a text.")


def test_megabytes_are_looked_through_in_no_time() -> None:
    """Hits past the first thousands do not count."""
    begin = time.perf_counter()
    snippet("needle " * 500_000, ["needle", "absent"])

    assert time.perf_counter() - begin < 1


@given(st.text(max_size=600), st.integers(0, 700))
def test_the_tail_of_a_text_is_long_enough_to_read(text: str, start: int) -> None:
    """It ends where the text ends, and begins at or before the place."""
    cut = tail(text, start)

    assert text.endswith(cut)
    assert len(cut) >= min(LENGTH, len(text), len(text) - start)


def test_the_tail_begins_with_a_word() -> None:
    """Near the end it begins further up."""
    text = "| first row |\n" + "| another row of the table |\n" * 40

    assert tail(text, len(text) - 2).startswith("table |\n| another")
    assert tail(text, 20).startswith("another row")
    assert tail("one two three " * 40, 5).startswith("two three")
