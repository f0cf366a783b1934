"""docs/oauth-check.md and the table of checks say the same."""

import re
from pathlib import Path

from mcp_daan.tokens.oauth.fetching import BODY_BYTES, FETCH_SECONDS, MOST_HOPS
from mcp_daan.tokens.oauth.table import CHECKS
from tests.oauth.expected import TABLE

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "oauth-check.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| `([A-Z0-9-]+)` \| (\w+) \| (.+?) \| (.+?) \| (.+) \|$", re.M)


def test_every_check_is_explained_and_nothing_else() -> None:
    """Gravity, expectation and remedy are those of the tool; what it means is said for people."""
    expected = [(each.id, each.severity, each.expected, each.mend) for each in CHECKS.values()]

    assert expected == [(name, gravity, wanted, mend) for name, gravity, wanted, _, mend in ROW.findall(PAGE)]
    assert [meaning for _, _, _, meaning, _ in ROW.findall(PAGE) if not meaning.endswith(".")] == []


def test_the_bounds_on_the_page_are_the_true_ones() -> None:
    """Sizes, seconds, hops."""
    assert f"{BODY_BYTES // 1024} KiB" in PAGE
    assert f"{FETCH_SECONDS:.0f} seconds a request" in PAGE
    assert (MOST_HOPS, "three redirects" in PAGE) == (3, True)


def test_the_counts_on_the_decision_page_are_those_of_the_table() -> None:
    """Pass, warn, fail and skipped of each server."""
    page = (ROOT / "docs" / "decisions" / "oauth-check-bounds.md").read_text(encoding="utf-8")
    shown = [tuple(map(int, row)) for row in re.findall(r"^\|.+\| (\d+) \| (\d+) \| (\d+) \| (\d+) \|$", page, re.M)]
    head, *rows = [line.split() for line in TABLE.strip().splitlines()]
    columns = [[row[place + 1] for row in rows] for place in range(len(head))]

    assert shown == [tuple(map(column.count, ("pass", "warn", "fail", "skipped"))) for column in columns]
