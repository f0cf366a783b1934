"""The pictures are plain SVG, the same each time, and name what they show."""

from xml.etree import ElementTree

import pytest

from bench import plot

RATIOS = {"start": {"ours": 1.0, "a peer": 3.5, "another": 0.25}, "bytes": {"ours": 1.0, "another": 2.0}}
LINES = {"a query": [(10, 2.0), (1000, 2.5)], "a search": [(100, 5.0), (20_000, 900.0)]}


def texts(picture: bytes) -> list[str]:
    """Every text that is shown."""
    return [each.text or "" for each in ElementTree.fromstring(picture).iter() if each.tag.endswith("text")]


def dots(picture: bytes) -> int:
    """How many points are drawn."""
    return sum("dot reactive" in each.get("class", "") for each in ElementTree.fromstring(picture).iter())


def test_a_dot_a_server_and_measure() -> None:
    """With the names of both, and round multiples below."""
    picture = plot.beside_ours(RATIOS, "ours")

    assert dots(picture) == 5
    assert {"ours", "a peer", "another", "start", "bytes", "0.2×", "1×", "5×"} <= set(texts(picture))


def test_a_line_a_cost_beside_what_the_input_does() -> None:
    """All of them begin at one."""
    picture = plot.growth(LINES)

    assert dots(picture) == 6
    assert {"a query", "a search", "as its input", "1×", "1,000×"} <= set(texts(picture))


@pytest.mark.parametrize("draw", [lambda: plot.beside_ours(RATIOS, "ours"), lambda: plot.growth(LINES)])
def test_a_picture_is_the_same_each_time_and_holds_no_script(draw) -> None:
    """So that a page changes only with its figures."""
    picture = draw()

    assert picture == draw()
    assert b"<script" not in picture


def test_ticks_enclose_what_is_shown() -> None:
    """Ones, twos and fives."""
    assert plot.ticks(0.3, 12) == [0.2, 0.5, 1, 2, 5, 10, 20]
    assert plot.ticks(1, 200, steps=(1,)) == [1, 10, 100, 1000]
