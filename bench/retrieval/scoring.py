"""How well an answer is ranked, and how sure that is."""

import math
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from bench.retrieval.questions import Case

DEPTH = 10
RESAMPLES = 10_000
Find = Callable[[str], list[str]]


@dataclass
class Score:
    """What one way of searching reached, per question."""

    gain: list[float] = field(default_factory=list)
    reciprocal: list[float] = field(default_factory=list)
    milliseconds: list[float] = field(default_factory=list)
    empty: int = 0


def measure(find: Find, cases: Sequence[Case]) -> Score:
    """Ask every question once."""
    score = Score()
    for case in cases:
        begin = time.perf_counter()
        found = find(case.query)
        score.milliseconds.append((time.perf_counter() - begin) * 1000)
        names = [name for name in found if name not in case.aside][:DEPTH]
        score.empty += not names
        ideal = sum(1 / math.log2(rank + 2) for rank in range(min(DEPTH, len(case.relevant))))
        gained = sum(1 / math.log2(rank + 2) for rank, name in enumerate(names) if name in case.relevant)
        score.gain.append(gained / ideal)
        score.reciprocal.append(next((1 / rank for rank, name in enumerate(names, 1) if name in case.relevant), 0.0))
    return score


def mean(values: Sequence[float]) -> float:
    """The arithmetic mean."""
    return sum(values) / len(values)


def interval(values: Sequence[float]) -> tuple[float, float]:
    """The 95 % bootstrap interval of the mean; the seed is fixed."""
    dice = random.Random(1)
    means = sorted(mean(dice.choices(values, k=len(values))) for _ in range(RESAMPLES))
    return means[RESAMPLES * 25 // 1000], means[RESAMPLES * 975 // 1000]


def difference(ours: Sequence[float], theirs: Sequence[float]) -> str:
    """The paired difference of *theirs* to *ours* with its interval."""
    apart = [their - our for our, their in zip(ours, theirs, strict=True)]
    low, high = interval(apart)
    return f"{mean(apart):+.3f} ({low:+.3f} to {high:+.3f})"
