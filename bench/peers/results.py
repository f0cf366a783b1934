"""What was measured, and what it says: medians, ranges, ratios of rounds, and whether a target is met."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import comb

OURS = "mcp-daan"
Rounds = list[list[float]]
# The median of the ratios lies in the shown range with this chance, whatever the ratios' distribution.
SURE = 0.95


@dataclass
class Found:
    """Samples by measure and server, a list a round; and who could not be measured, with the reason."""

    samples: dict[str, dict[str, Rounds]] = field(default_factory=dict)
    absent: dict[str, str] = field(default_factory=dict)

    def add(self, measure: str, server: str, values: Sequence[float]) -> None:
        """One round more."""
        self.samples.setdefault(measure, {}).setdefault(server, []).append(list(values))

    def rounds(self, measure: str, server: str) -> list[float]:
        """The median of each round; empty when nothing was measured."""
        return [statistics.median(each) for each in self.samples.get(measure, {}).get(server, []) if each]

    def all(self, measure: str, server: str) -> list[float]:
        """Every sample."""
        return [value for each in self.samples.get(measure, {}).get(server, []) for value in each]

    def forget(self, server: str, why: str) -> None:
        """Nothing of *server* counts any more, for this reason."""
        self.absent[server] = why
        for servers in self.samples.values():
            servers.pop(server, None)

    def servers(self) -> list[str]:
        """Everyone of whom something was measured, in the order in which they came."""
        return list(dict.fromkeys(server for each in self.samples.values() for server in each))


@dataclass(frozen=True)
class Target:
    """One promise: ours is at most (or at least) *limit* times the best of *against*, or *limit* itself without them."""

    what: str
    measure: str
    limit: float
    against: tuple[str, ...] = ()
    # The measure of those who have none of the first one.
    other: str = ""
    least: bool = False
    # A wish, which the table names as such.
    stretch: bool = False


@dataclass(frozen=True)
class Judged:
    """A target with what was found: *figure* is the median ratio, or our own value where nobody is named."""

    target: Target
    verdict: str
    ours: float = 0.0
    peer: str = ""
    theirs: float = 0.0
    figure: float = 0.0
    low: float = 0.0
    high: float = 0.0
    rounds: int = 0


def judged(target: Target, found: Found) -> Judged:
    """The verdict on *target*; `unsure` where the range of the figure holds both sides of the limit."""
    ours = found.rounds(target.measure, OURS)
    theirs, peer = _best(target, found)
    if not ours or (target.against and not theirs):
        return Judged(target, "not measured")
    figures = [a / b for a, b in zip(ours, theirs, strict=False)] if target.against else ours
    low, high = interval(figures)
    shown = (middle(found.all(target.measure, OURS)), peer, middle(theirs), statistics.median(figures), low, high)
    return Judged(target, verdict(low, high, target.limit, least=target.least), *shown, len(figures))


def _best(target: Target, found: Found) -> tuple[list[float], str]:
    by_peer = {}
    for peer in target.against:
        if rounds := found.rounds(target.measure, peer) or found.rounds(target.other, peer):
            by_peer[peer] = rounds
    if not by_peer:
        return [], ""
    best = max if target.least else min
    peer = best(by_peer, key=lambda each: statistics.median(by_peer[each]))
    return by_peer[peer], peer


def verdict(low: float, high: float, limit: float, *, least: bool = False) -> str:
    """`met`, `missed` or `unsure` for a figure that lies between *low* and *high*."""
    if least:
        low, high, limit = -high, -low, -limit
    if high <= limit:
        return "met"
    return "missed" if low > limit else "unsure"


def interval(values: Sequence[float]) -> tuple[float, float]:
    """The narrowest pair of *values* between which their median lies with the chance SURE; of few, least and largest."""
    ordered = sorted(values)
    count = len(ordered)
    cut = 0
    while 2 * sum(comb(count, each) for each in range(cut + 2)) / 2**count <= 1 - SURE:
        cut += 1
    return ordered[cut], ordered[count - 1 - cut]


def middle(values: Sequence[float]) -> float:
    """The median, or 0 when nothing was measured."""
    return statistics.median(values) if values else 0.0


def tail(values: Sequence[float]) -> float:
    """The 99th percentile, or the largest of few."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, round(0.99 * len(ordered)))] if ordered else 0.0
