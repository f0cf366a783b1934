"""Lists are cut at item borders and go on where they were cut."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_daan.errors import InvalidArguments, TooLarge
from mcp_daan.paging import ENVELOPE_BYTES, encode_cursor, page, page_lists

ROOM = ENVELOPE_BYTES + 60


@given(st.lists(st.text(max_size=40)), st.integers(1, 7))
def test_pages_in_a_row_give_every_item_once(items: list[str], limit: int) -> None:
    """Limit and bytes together neither lose nor repeat an item."""
    seen: list[str] = []
    cursor = None
    while True:
        part = page(items, limit=limit, cursor=cursor, max_bytes=ENVELOPE_BYTES + 300)
        seen += part.items
        cursor = part.next_cursor
        if cursor is None:
            break

    assert items == seen


def test_a_page_that_ends_at_its_limit_is_whole_and_one_that_ends_at_its_bytes_is_cut() -> None:
    """Only the second has a hole that the caller did not ask for."""
    items = ["x" * 20] * 4

    assert page(items, limit=2, cursor=None, max_bytes=10_000).cut is False
    assert page(items, limit=4, cursor=None, max_bytes=ROOM).cut is True


def test_an_item_larger_than_an_answer_is_said_so() -> None:
    """Nothing can be shown of it, and a cursor would stand still."""
    with pytest.raises(TooLarge):
        page(["x" * 1000], limit=1, cursor=None, max_bytes=ROOM)


@pytest.mark.parametrize(
    "cursor", ["nonsense", "", "W10", "WzFd", encode_cursor(1, "another list"), encode_cursor(-1), "WzEuNSwiIl0"]
)
def test_a_cursor_of_another_list_is_refused(cursor: str) -> None:
    """A cursor opens the list that gave it and no other."""
    with pytest.raises(InvalidArguments):
        page([1, 2, 3], limit=1, cursor=cursor, max_bytes=10_000, mark="this list")


def test_several_lists_are_paged_as_one() -> None:
    """Each list's part stands under its name, and the cursor runs through all of them."""
    lists = {"a": ["x" * 20, "y" * 20], "b": ["z" * 20]}
    first, cut = page_lists(lists, cursor=None, max_bytes=ROOM)
    rest, end = page_lists(lists, cursor=cut.next_cursor, max_bytes=ROOM)

    assert first == {"a": ["x" * 20, "y" * 20], "b": []}
    assert rest == {"a": [], "b": ["z" * 20]}
    assert cut.cut is True
    assert end.next_cursor is None
