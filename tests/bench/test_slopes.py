"""How fast a cost grows is an exponent, and the verdict is by its worse part."""

from collections.abc import Callable
from math import log2

import pytest

from bench.growth.__main__ import conclusion, report
from bench.growth.slopes import Line, exponent, slopes, verdict

SIZES = (1, 10, 100, 1000)


def line(cost: Callable[[int], float], noise: tuple[float, ...] = (1.0, 1.0, 1.0)) -> Line:
    """A line on fixed sizes; *noise* is by what each round is off at the largest of them."""
    samples = {size: [cost(size) * (each if size == SIZES[-1] else 1) for each in noise] for size in SIZES}
    return Line("a call", "rows", samples)


@pytest.mark.parametrize("power", [0.0, 0.5, 1.0, 2.0])
def test_the_exponent_of_a_power_is_found(power: float) -> None:
    """Exactly, whatever the factor."""
    assert exponent([(size, 3 * size**power) for size in SIZES]) == pytest.approx(power)


@pytest.mark.parametrize(
    ("cost", "expected"),
    [
        (lambda size: 5.0, "no faster"),
        (lambda size: 0.2 * size, "no faster"),
        (lambda size: size * log2(size + 1000), "no faster"),
        (lambda size: size**1.5, "faster"),
        (lambda size: 1000 + 0.001 * size**2.5, "faster"),
    ],
    ids=["constant", "linear", "sorted", "worse", "worse at the end only"],
)
def test_what_grows_like_its_input_or_less_is_told_from_what_does_not(
    cost: Callable[[int], float], expected: str
) -> None:
    """A constant part does not hide how the last step grows."""
    assert verdict(line(cost)) == expected


def test_noise_on_both_sides_of_the_limit_is_called_unsure() -> None:
    """And it is named below the table."""
    noisy = line(lambda size: float(size), noise=(0.9, 1.0, 1.6))

    assert verdict(noisy) == "unsure"
    assert "Unsure: a call." in report([noisy], 1)


def test_the_range_is_that_of_the_rounds() -> None:
    """The last step of each round by itself."""
    _, (middle, low, high) = slopes(line(lambda size: float(size), noise=(1.0, 10.0, 100.0)))

    assert (middle, low, high) == (pytest.approx(2), pytest.approx(1), pytest.approx(3))


def test_what_grows_faster_is_not_hidden_by_the_rest() -> None:
    """Every such line is named."""
    assert conclusion({"a": "no faster", "b": "no faster"}).startswith("Nothing grows faster")
    assert conclusion({"a": "faster", "b": "unsure", "c": "faster"}).startswith("Faster: a; c. Unsure: b.")


def test_the_table_has_sizes_costs_and_memory() -> None:
    """A row a line."""
    one = line(lambda size: 2.0 * size)
    one.peaks = {1: 60.0, 1000: 70.0}

    assert "| a call | 1 · 10 · 100 · 1,000 rows | 2 · 20 · 200 · 2,000 | 60 · 70 | 1.00 (1.00–1.00) |" in report(
        [one], 1
    )
