"""How fast a cost grows with its input: the exponent over all sizes, and that of the last step."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import log
from statistics import mean, median

from bench.peers.results import interval

# A sort's logarithm over such sizes is a tenth of an exponent; what grows no faster than this grows like its input.
LIMIT = 1.1


@dataclass
class Line:
    """One cost against one size: samples in milliseconds by size, as many of each, and the most MB where it matters."""

    what: str
    unit: str
    samples: dict[int, list[float]] = field(default_factory=dict)
    peaks: dict[int, float] = field(default_factory=dict)

    @property
    def points(self) -> list[tuple[float, float]]:
        """Size and median cost."""
        return [(size, median(values)) for size, values in self.samples.items()]

    def rounds(self) -> list[list[tuple[float, float]]]:
        """Size and cost of the first samples, of the second ones, and so on."""
        return [list(zip(self.samples, costs, strict=True)) for costs in zip(*self.samples.values(), strict=True)]


def exponent(points: Sequence[tuple[float, float]]) -> float:
    """The exponent of the power of the size that fits *points* best, by least squares of the logarithms."""
    sizes, costs = [log(size) for size, _ in points], [log(cost) for _, cost in points]
    middle, height = mean(sizes), mean(costs)
    spread = sum((size - middle) ** 2 for size in sizes)
    return sum((size - middle) * (cost - height) for size, cost in zip(sizes, costs, strict=True)) / spread


def slopes(line: Line) -> tuple[tuple[float, float, float], tuple[float, float, float]]:
    """Over all sizes and of the last step: the exponent of the medians, and in which range that of a round lies."""
    whole, last = [exponent(each) for each in line.rounds()], [exponent(each[-2:]) for each in line.rounds()]
    return (
        (exponent(line.points), *interval(whole)),
        (exponent(line.points[-2:]), *interval(last)),
    )


def verdict(line: Line) -> str:
    """Whether it grows no faster than its input, by the worse of both exponents; `unsure` where the noise hides it."""
    whole, last = slopes(line)
    if max(whole[2], last[2]) <= LIMIT:
        return "no faster"
    return "faster" if max(whole[1], last[1]) > LIMIT else "unsure"
