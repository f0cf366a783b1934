"""Headings as CommonMark sees them, lines as editors count them."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_daan.errors import Unavailable
from mcp_daan.knowledge.markdown import document_title, front_matter, lines_of, read_text, sections

PIECES = [
    *("# A", "## B", "### C", "#", "# A #", "####### seven", "===", "---", "> # quoted", "- # listed", "    # code"),
    *("text", "", "```", "~~~", "<Tab>", "<!--", "-->", "\ufeff", "a: b", "\u2028# no line", "\x0c# no line"),
]
MARKDOWN = st.lists(st.sampled_from(PIECES), max_size=30)
ENDINGS = st.sampled_from(["\n", "\r\n", "\r"])


def headings(text: str, *, mdx: bool = False) -> list[tuple[int, str, int]]:
    return [(section.level, section.title, section.line) for section in sections(text, mdx=mdx)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("# A\n\ntext\n\n## B\n", [(1, "A", 1), (2, "B", 5)]),
        ("A\n===\n\nB\nC\n---\n", [(1, "A", 1), (2, "B C", 4)]),
        ("```\n# code\n```\n# A\n", [(1, "A", 4)]),
        ("~~~~\n```\n# code\n~~~\n# code\n~~~~\n# A\n", [(1, "A", 7)]),
        ("    # code\n\n# A\n", [(1, "A", 3)]),
        ("> # quoted\n\n- # listed\n\n# A\n", [(1, "A", 5)]),
        ("<!--\n# hidden\n-->\n\n# A\n", [(1, "A", 5)]),
        ("#no space\n\n####### seven\n\n# A #\n", [(1, "A", 5)]),
        ("# A `code` *b* [link](url)\n", [(1, "A `code` *b* [link](url)", 1)]),
        ("---\ntitle: x\n---\n# A\n", [(1, "A", 4)]),
        ("---\ntitle: x\n---", []),
        ("\ufeff# A\n", [(1, "A", 1)]),
        ("\ufeff---\na: b\n---\n# A", [(1, "A", 4)]),
        ("# A\r\ntext\r\n## B\r\n", [(1, "A", 1), (2, "B", 3)]),
        ("# A\rtext\r## B", [(1, "A", 1), (2, "B", 3)]),
        ("# A\u2028x\n\x0b\n## B\n", [(1, "A x", 1), (2, "B", 3)]),
        ("#\n", [(1, "", 1)]),
        ("", []),
    ],
)
def test_headings_are_those_of_commonmark(text: str, expected: list[tuple[int, str, int]]) -> None:
    """Fences, quotes, lists, comments, front matter, both heading forms, all line endings."""
    assert expected == headings(text)


TABS = "# A\n<Tabs>\n```sh\n# comment\n```\n</Tabs>\n## B\n<Tab label='x'> <Aside/>\n## C\n"


def test_a_component_above_a_fence_does_not_swallow_it() -> None:
    """CommonMark takes the fence for HTML, and the closing fence for an opening one."""
    assert headings(TABS) == [(1, "A", 1), (2, "B", 7), (2, "C", 9)]


def test_html_above_a_heading_hides_it_in_markdown_and_not_in_mdx() -> None:
    """MDX reads on below a line of tags; CommonMark takes all up to a blank line for HTML."""
    text = "<div>\n# A\n</div>\n\n# B\n"

    assert headings(text) == [(1, "B", 5)]
    assert headings(text, mdx=True) == [(1, "A", 2), (1, "B", 5)]


def test_sections_know_their_path_their_own_lines_and_their_whole_subtree() -> None:
    """`own_end` ends before the next heading, `end` after the last section below."""
    text = "intro\n# A\na\n## B\nb\n### C\nc\n## D\nd\n# E\n"
    found = [(section.path, section.line, section.own_end, section.end) for section in sections(text)]

    assert found == [
        (("A",), 2, 3, 9),
        (("A", "B"), 4, 5, 7),
        (("A", "B", "C"), 6, 7, 7),
        (("A", "D"), 8, 9, 9),
        (("E",), 10, 10, 10),
    ]


def test_a_title_is_bounded() -> None:
    """A heading of a megabyte would fill every answer."""
    assert [len(section.title) for section in sections("# " + "x" * 1_000_000)] == [300]


@given(MARKDOWN, ENDINGS, st.booleans())
def test_own_lines_follow_each_other_to_the_end_of_the_file(lines: list[str], ending: str, mdx: bool) -> None:
    """No line is lost, none counted twice, whatever the text."""
    text = ending.join(lines)
    found = sections(text, mdx=mdx)
    last = len(lines_of(text))

    assert [section.own_end + 1 for section in found] == [section.line for section in found[1:]] + [last + 1] * bool(
        found
    )
    assert all(section.line <= section.own_end <= section.end <= last for section in found)
    assert "".join(lines_of(text)) == text


@given(st.text(alphabet=st.sampled_from("-:ab# \n\r\"'[]|>~.\\\ufeff"), max_size=60))
def test_front_matter_never_fails_and_never_takes_more_than_there_is(text: str) -> None:
    """Whatever stands between the rules."""
    values, taken = front_matter(text)

    assert taken <= len(lines_of(text))
    assert taken > 0 or values == {}


def test_front_matter_gives_scalars_as_text() -> None:
    """Dates stay as written; lists, blocks, nulls and nested keys are left out."""
    text = """---
title: "A: \\"quoted\\" title" # comment
url: https://example.test/#part
date: 2026-07-10
single: 'it''s'
empty:
nothing: null
tags: [a, b]
block: |
  key: inside
nested:
  key: value
list:
- one
"quoted key": x
spaced :  y   # comment
---
# A
"""

    assert front_matter(text) == (
        {
            "title": 'A: "quoted" title',
            "url": "https://example.test/#part",
            "date": "2026-07-10",
            "single": "it's",
            "quoted key": "x",
            "spaced": "y",
        },
        17,
    )


@pytest.mark.parametrize(
    "text",
    [
        "---\nno end: x\n",
        "---\nprose between rules\n---\n",
        "---\n\n---\n",
        "---\n# A heading\n---\n",
        " ---\na: b\n---\n",
        "----\na: b\n----\n",
        "text\n---\na: b\n---\n",
        "",
    ],
)
def test_what_only_looks_like_front_matter_is_text(text: str) -> None:
    """A rule at the top of a page must not eat the page."""
    assert front_matter(text) == ({}, 0)


def test_a_title_comes_from_front_matter_then_headings_then_the_name() -> None:
    """In that order."""
    assert document_title("---\ntitle: T\n---\n# A\n", "x.md") == "T"
    assert document_title("text\n\n## A\n", "x.md") == "A"
    assert document_title("text\n", "x.md") == "x.md"


@pytest.mark.parametrize("content", [b"\xef\xbb\xbf# A\r\n", b"no newline", b"", b"a\0b\n"])
def test_text_is_read_as_it_stands(content: bytes, tmp_path: Path) -> None:
    """Byte order mark, line endings and all."""
    (tmp_path / "a.md").write_bytes(content)

    assert read_text(tmp_path / "a.md").encode() == content


@pytest.mark.parametrize("content", [b"caf\xe9", "é".encode("utf-16"), b"\xed\xa0\x80", b"x" * (8 * 2**20 + 1)])
def test_a_file_that_is_no_text_names_itself_and_says_how_to_mend_it(content: bytes, tmp_path: Path) -> None:
    """Latin-1, UTF-16, a lone surrogate, and what no person reads."""
    (tmp_path / "odd.md").write_bytes(content)

    with pytest.raises(Unavailable, match=r"odd\.md") as caught:
        read_text(tmp_path / "odd.md")

    assert "odd.md" in caught.value.advice


def test_a_file_that_is_gone_is_unavailable(tmp_path: Path) -> None:
    """It may have been removed since it was listed."""
    with pytest.raises(Unavailable, match=r"gone\.md"):
        read_text(tmp_path / "gone.md")
