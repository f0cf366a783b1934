"""docs/oauth-check.md and the table of checks say the same."""

import re
from pathlib import Path

from mcp_daan.tokens.oauth.fetching import BODY_BYTES, FETCH_SECONDS, MOST_HOPS
from mcp_daan.tokens.oauth.table import CHECKS

PAGE = (Path(__file__).parents[2] / "docs" / "oauth-check.md").read_text(encoding="utf-8")
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
