"""Documents and sections come verbatim, in pieces that fit, and are named without guessing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_daan.errors import InvalidArguments, NotFound
from mcp_daan.knowledge.base import KnowledgeBase
from mcp_daan.knowledge.markdown import sections
from mcp_daan.knowledge.reading import cut, find_section, list_files, read_document
from mcp_daan.knowledge.retrieval.pages import addresses
from mcp_daan.protocol import json_bytes
from tests.knowledge.conftest import Write

GUIDE = """# Guide

intro

## Setup

first

### Run

one

## Deploy

### Run

two

## Setup

second

### Run

three

## `d1_query` & friends

tools

## Issue #2

issue

## C# > Java

odd
"""
FOUND = sections(GUIDE)


@pytest.mark.parametrize(
    ("wanted", "line"),
    [
        ("Guide", 1),
        ("Deploy", 13),
        ("Guide > Deploy", 13),
        ("Deploy > Run", 15),
        ("Guide > Deploy > Run", 15),
        ("Guide > Setup", 5),
        ("Guide > Setup#2", 19),
        ("Setup#1", 5),
        ("Setup#2", 19),
        ("Setup #2", 19),
        ("setup#2", 19),
        ("Run#3", 23),
        ("Setup > Run#2", 23),
        ("Guide > Setup > Run#2", 23),
        ("## Deploy", 13),
        ("deploy", 13),
        ("d1_query friends", 27),
        ("`d1_query` & friends", 27),
        ("#d1_query--friends", 27),
        ("Issue #2", 31),
        ("issue-2", 31),
        ("C# > Java", 35),
        ("Guide > C# > Java", 35),
    ],
)
def test_a_section_answers_to_its_title_its_path_and_its_address(wanted: str, line: int) -> None:
    """With an ordinal for repeats, as a link writes it, and with the marks of a heading."""
    assert FOUND[find_section(FOUND, wanted)].line == line


@pytest.mark.parametrize(
    ("wanted", "candidates"),
    [
        ("Setup", ["Guide > Setup", "Guide > Setup#2"]),
        ("setup", ["Guide > Setup", "Guide > Setup#2"]),
        ("Run", ["Guide > Setup > Run", "Guide > Deploy > Run", "Guide > Setup > Run#2"]),
        ("Setup > Run", ["Guide > Setup > Run", "Guide > Setup > Run#2"]),
    ],
)
def test_a_name_of_several_sections_is_not_guessed(wanted: str, candidates: list[str]) -> None:
    """Each candidate finds exactly one."""
    with pytest.raises(NotFound) as caught:
        find_section(FOUND, wanted)

    assert caught.value.data["candidates"] == candidates
    assert len({find_section(FOUND, each) for each in candidates}) == len(candidates)


@pytest.mark.parametrize("wanted", ["Absent", "Deploy > Setup", "Setup#3", "Run > Setup", "#", "!!", "Setup#0", "#2"])
def test_a_name_of_no_section_gets_the_nearest_as_candidates(wanted: str) -> None:
    """And no neighbour instead."""
    with pytest.raises(NotFound) as caught:
        find_section(FOUND, wanted)

    assert set(caught.value.data["candidates"]) == set(addresses(FOUND))


@given(st.lists(st.tuples(st.integers(1, 6), st.sampled_from(["A", "B", "A#2", "A > B", "a", ""])), max_size=12))
def test_every_address_finds_its_own_section(headings: list[tuple[int, str]]) -> None:
    """Whatever the titles are; two of one address are the exception that is named."""
    found = sections("".join(f"{'#' * level} {title}\n\ntext\n\n" for level, title in headings))
    named = addresses(found)
    once = [number for number, address in enumerate(named) if address and named.count(address) == 1]

    assert [find_section(found, named[number]) for number in once] == once


def test_a_section_is_read_with_what_stands_below_it(base: KnowledgeBase, write: Write) -> None:
    """From its heading to the next of its level, verbatim."""
    path = write("backend/guide.md", GUIDE.replace("\n", "\r\n"))
    read = read_document(path, "Guide > Setup#2")

    assert read.text == "## Setup\r\n\r\nsecond\r\n\r\n### Run\r\n\r\nthree\r\n\r\n"
    assert [(each.title, each.level, each.line) for each in read.headings] == [("Setup", 2, 19), ("Run", 3, 23)]
    assert (read.title, read.first_line) == ("Guide", 19)


def test_a_whole_document_lists_all_its_sections(base: KnowledgeBase, write: Write) -> None:
    """The text is the file."""
    path = write("backend/guide.md", GUIDE)
    read = read_document(path)

    assert read.text == GUIDE
    assert [each.line for each in read.headings] == [section.line for section in FOUND]


TEXTS = st.lists(
    st.sampled_from(["a", "é", "漢", "🙂", '"', "\\", "\x01", "\r\n", "\n", "\r", "\ufeff", "word ", "x" * 90]),
    max_size=80,
).map("".join)


@given(TEXTS, st.integers(4, 200), st.integers(12, 300))
def test_pieces_joined_are_the_text_and_none_is_too_large(text: str, max_bytes: int, json_room: int) -> None:
    """Whatever the text, its line endings and the budget."""
    pieces, cursor = [], None
    while True:
        piece = cut(text, cursor=cursor, max_bytes=max_bytes, json_room=json_room)
        pieces.append(piece)
        if piece.next_cursor is None:
            break
        cursor = piece.next_cursor

    assert "".join(piece.text for piece in pieces) == text
    assert max(len(piece.text.encode()) for piece in pieces) <= max_bytes
    assert max(json_bytes(piece.text) - 2 for piece in pieces) <= json_room
    assert all(piece.text for piece in pieces) or text == ""


def test_a_piece_ends_at_a_lines_end_and_tells_where_it_begins() -> None:
    """A line that alone is too long is cut."""
    text = "one\r\ntwo\nthree four five\nsix"
    pieces, cursor = [], None
    while not pieces or cursor:
        piece = cut(text, cursor=cursor, max_bytes=10, json_room=1000, first_line=5)
        pieces.append((piece.first_line, piece.text))
        cursor = piece.next_cursor

    assert pieces == [(5, "one\r\ntwo\n"), (7, "three four"), (7, " five\nsix")]


def test_a_carriage_return_and_its_newline_stay_together() -> None:
    """Where the budget ends between them, the piece ends a line earlier."""
    assert cut("a\r\nb\r\nc", cursor=None, max_bytes=5, json_room=100).text == "a\r\n"


def test_a_cursor_of_another_text_is_refused() -> None:
    """A file that changed meanwhile would give a mix of two."""
    cursor = cut("one\ntwo\n", cursor=None, max_bytes=4, json_room=100).next_cursor

    with pytest.raises(InvalidArguments):
        cut("one\nTWO\n", cursor=cursor, max_bytes=4, json_room=100)


def test_the_list_tells_title_size_and_sections_and_names_what_cannot_be_read(
    base: KnowledgeBase, write: Write
) -> None:
    """A file that is no text is listed too: it is there."""
    write("backend/guide.md", GUIDE)
    write("backend/bad.md", b"\xff")
    files, left_out = list_files(base)

    assert [(file.path, file.title, file.bytes, file.sections) for file in files] == [
        ("backend/bad.md", "bad.md", 1, 0),
        ("backend/guide.md", "Guide", len(GUIDE), 10),
    ]
    assert left_out == ["backend/bad.md"]
