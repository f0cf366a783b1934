"""Headings of hostile markdown are those that CommonMark's reference reads, and every section can be asked for."""

import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from mcp_daan.knowledge.markdown import front_matter, lines_of, sections
from mcp_daan.knowledge.reading import read_document
from mcp_daan.knowledge.retrieval.pages import addresses

PIECES = st.sampled_from(
    "# A|## B #|### C ##|#no|####### seven|Title\n===|Two\nlines\n---|- # in a list|> # in a quote|1. # in a list|    # code"
    "|\t# code|```|```js|~~~|`````|# `x`|# **b** [l](u)|text|---|***|===| |\\# no|# \\#|#\u00a0no|#\ttab|[a]: #b|| a | b |"
    "|\u2028# no|\x0b# no|&#35; no|- a\n\n  # inside|*\n  # b|# 😀|#".split("|")
)
ENDINGS = st.sampled_from(["\n", "\r\n", "\n\n"])
TAGS = st.sampled_from(
    ["<Tabs>", "</Tabs>", '<TabItem label="a">', "<Render file='x' />", "<Details open>", "</Details>"]
)


def reference(text: str) -> list[tuple[int, int]]:
    """(level, line) of the headings outside lists and quotes, by markdown-it as it is."""
    found = MarkdownIt("commonmark").parse(text)
    return [
        (int(each.tag[1]), each.map[0] + 1)
        for each in found
        if each.type == "heading_open" and each.level == 0 and each.map
    ]


def ours(text: str, *, mdx: bool = False) -> list[tuple[int, int]]:
    """The same by us."""
    return [(each.level, each.line) for each in sections(text, mdx=mdx)]


@settings(max_examples=400, deadline=None)
@given(st.lists(PIECES, max_size=14), ENDINGS)
def test_headings_are_those_of_the_reference(pieces: list[str], ending: str) -> None:
    """Whatever stands together; front matter is not markdown, so it is left out of this."""
    text = ending.join(pieces)

    assert front_matter(text)[1] != 0 or ours(text) == reference(text)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(TAGS, PIECES), min_size=1, max_size=8))
def test_lines_of_components_hide_nothing(pairs: list[tuple[str, str]]) -> None:
    """A page with them has the headings that it has without: a tag above a fence does not swallow the fence."""
    with_tags = "\n".join(f"{tag}\n{piece}" for tag, piece in pairs)
    without = "\n".join(f"\n{piece}" for _, piece in pairs)

    assert front_matter(with_tags)[1] != 0 or ours(with_tags, mdx=True) == reference(without)


@settings(max_examples=60, deadline=None)
@given(pieces=st.lists(PIECES, max_size=12), ending=st.sampled_from(["\n", "\r\n"]))
def test_every_section_can_be_asked_for_and_comes_word_for_word(
    tmp_path_factory: pytest.TempPathFactory, pieces: list[str], ending: str
) -> None:
    """By its address; the text is that of its lines."""
    text = ending.join(pieces)
    file = Path(tmp_path_factory.mktemp("page"), "page.md")
    file.write_bytes(text.encode())
    found = sections(text)
    lines = lines_of(text)
    for address, section in zip(addresses(found), found, strict=True):
        if address:
            read = read_document(file, address)
            assert (read.text, read.first_line) == ("".join(lines[section.line - 1 : section.end]), section.line)


@pytest.mark.parametrize(
    "piece",
    ["#", "# ", "<", "<a>", "<Tabs>\n", "```\n", "> ", "- ", "[", "![", "**", "`", "|", "---\n", "=\n", "a\n=\n", "\\", "&#", "<!--", "<Tabs a='", "- # x\n", "\r", "\x00"],
)  # fmt: skip
def test_a_hostile_text_costs_no_more_than_another(piece: str) -> None:
    """Four times as much takes about four times as long."""
    took = []
    for count in (4_000, 16_000):
        begin = time.process_time()
        sections(piece * count, mdx=True)
        took.append(time.process_time() - begin)

    assert took[1] < 10 * took[0] + 0.5
