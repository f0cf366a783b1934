"""Verdicts are drawn from ratios of rounds, and say so when the noise hides them."""

import pytest

from bench.peers.results import OURS, Found, Target, interval, judged, tail, verdict


def found(**servers: list[float]) -> Found:
    """One measure, a sample a round of each server; `ours` is this one."""
    made = Found()
    for name, rounds in servers.items():
        for value in rounds:
            made.add("time", OURS if name == "ours" else name, [value])
    return made


@pytest.mark.parametrize(
    ("low", "high", "least", "expected"),
    [
        (0.4, 0.5, False, "met"),
        (0.4, 0.51, False, "unsure"),
        (0.51, 0.6, False, "missed"),
        (0.5, 0.6, True, "met"),
        (0.49, 0.6, True, "unsure"),
        (0.4, 0.49, True, "missed"),
    ],
)
def test_a_verdict_holds_for_the_whole_range(low: float, high: float, least: bool, expected: str) -> None:
    """At most or at least a half; the limit itself is met."""
    assert verdict(low, high, 0.5, least=least) == expected


def test_the_range_of_few_is_all_of_them_and_of_many_leaves_outliers_aside() -> None:
    """The order statistics between which the median lies with 95 %."""
    assert interval([3.0, 1.0, 2.0]) == (1.0, 3.0)
    assert interval([float(each) for each in range(1, 12)]) == (2.0, 10.0)
    assert interval([float(each) for each in range(1, 16)]) == (4.0, 12.0)
    assert interval([7.0]) == (7.0, 7.0)


def test_a_slow_round_hits_both_and_leaves_the_ratio_alone() -> None:
    """Where the medians of all samples would say nothing."""
    row = judged(Target("", "time", 0.5, ("peer",)), found(ours=[1, 10, 2], peer=[2.5, 25, 5]))

    assert (row.verdict, row.figure, row.low, row.high) == ("met", 0.4, 0.4, 0.4)


def test_the_best_of_several_is_the_one_to_beat() -> None:
    """The least where less is better, the most where more is."""
    measured = found(ours=[2, 2], slow=[4, 4], fast=[1, 1])
    best = [judged(Target("", "time", 1, ("slow", "fast"), least=least), measured) for least in (False, True)]

    assert [(row.peer, row.verdict) for row in best] == [("fast", "missed"), ("slow", "missed")]


def test_who_has_no_such_measure_is_compared_by_the_other_one() -> None:
    """A peer of the older protocol revision, and one of both."""
    measured = found(ours=[2], both=[8])
    measured.add("older", "old", [3])
    measured.add("older", "both", [1])

    row = judged(Target("", "time", 1, ("old", "both"), "older"), measured)

    assert (row.peer, row.theirs) == ("old", 3)


def test_a_limit_of_its_own_needs_no_peer() -> None:
    """The figure is ours."""
    row = judged(Target("", "time", 15), found(ours=[14, 15, 16]))

    assert (row.verdict, row.figure, row.low, row.high) == ("unsure", 15, 14, 16)


@pytest.mark.parametrize("absent", ["ours", "peer"])
def test_without_both_there_is_no_verdict(absent: str) -> None:
    """An absent peer is never a victory."""
    servers = {"ours": [1.0], "peer": [2.0]}
    del servers[absent]

    assert judged(Target("", "time", 1, ("peer",)), found(**servers)).verdict == "not measured"


def test_a_round_is_its_median() -> None:
    """And the 99th percentile is of all samples."""
    measured = Found()
    measured.add("time", "peer", [1, 2, 90])
    measured.add("time", "peer", [4])

    assert measured.rounds("time", "peer") == [2, 4]
    assert tail(measured.all("time", "peer")) == 90
