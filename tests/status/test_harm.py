"""What presses most comes first, for a reason that is written down."""

from pathlib import Path

import pytest

from mcp_daan.protocol import Severity
from mcp_daan.tools.harm import HARMS, Pressing, harm, most_pressing

SOURCES = Path(__file__).parents[2] / "mcp_daan"


def pressing(code: str, severity: Severity = "error", **more: object) -> Pressing:
    """A finding."""
    given = {"component": "d1", "tool": "t", "message": "m", "next_step": "n", **more}
    return Pressing.model_validate({"code": code, "severity": severity, **given})


def test_every_code_is_ranked_once_and_is_one_that_a_tool_gives() -> None:
    """A code that was misspelt or is gone would rank nothing."""
    codes = [code for each in HARMS for code in each.codes]
    text = "".join(path.read_text("utf-8") for path in SOURCES.rglob("*.py") if path.name != "harm.py")
    unknown = [code for code in codes if f'"{code.removeprefix("api_key_")}"' not in text]

    assert sorted(codes) == sorted(set(codes))
    assert unknown == []


def test_the_degrees_go_down_and_each_says_what_is_lost() -> None:
    """Above what is only an error, and below."""
    weights = [each.weight for each in HARMS]

    assert weights == sorted(set(weights), reverse=True)
    assert [each for each in HARMS if not each.reason.endswith(".")] == []


def test_harm_comes_before_severity_and_severity_before_names() -> None:
    """A warning that a secret lies open presses more than an error in a document."""
    found = [
        pressing("table_missing"),
        pressing("dev_vars_open", "warning"),
        pressing("needs_reauth"),
        pressing("loop_stuck"),
    ]

    assert [each.code for each in most_pressing(found, 10)] == [
        "dev_vars_open",
        "loop_stuck",
        "needs_reauth",
        "table_missing",
    ]


def test_those_alike_are_one_that_counts_them() -> None:
    """Ten of one kind would hide nine others."""
    found = [pressing("broken_link", "warning", path=f"p{n}", line=n) for n in (3, 1, 2)] + [
        pressing("version_behind", "warning")
    ]
    shown = most_pressing(found, 10)

    assert [(each.code, each.count, each.path, each.line) for each in shown] == [
        ("broken_link", 3, "p1", 1),
        ("version_behind", 1, None, None),
    ]
    assert shown[0].harm == "People and agents act on something that is not so."


def test_what_is_only_good_to_know_does_not_press() -> None:
    """Whatever its code."""
    assert most_pressing([pressing("loop_stuck", "info")], 10) == []


@pytest.mark.parametrize(("severity", "weight"), [("error", 55), ("warning", 30), ("info", 0)])
def test_a_code_without_a_rank_presses_by_its_severity(severity: Severity, weight: int) -> None:
    """New findings are never lost."""
    assert harm("something_new", severity).weight == weight
