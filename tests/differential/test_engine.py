"""What D1 answers we answer, what D1 refuses we refuse: every statement through both, on one and the same file."""

import re
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mcp_daan.protocol import Answer
from tests.d1.conftest import ID, Portal
from tests.node.engine import in_d1

from .borders import borders, parameters
from .composed import composed
from .known import KNOWN, MEANINGS, READS, REASONS, reason
from .statement import Statement, written

# The first run installs the engine.
pytestmark = pytest.mark.timeout(300)
HERE = Path(__file__).parent
PAGE = HERE.parents[1] / "docs/d1-dialect.md"
COMPOSED = 250
# Those that D1 lets change its own copy come last.
STATEMENTS = sorted(
    [*written(), *borders(), *parameters(), *composed(COMPOSED)], key=lambda each: each.category == "writes"
)
BEHIND = re.compile(r"( at offset \d+)?(: SQLITE_\w+.*)?$")

Engine = dict[str, Any]


@pytest.fixture
def portal(workspace: Path) -> Iterator[Portal]:
    """The portal with a copy of the database that D1 itself made."""
    opened = Portal(workspace)
    made, session = in_d1(
        workspace / "engine",
        ID,
        {"sql": (HERE / "schema.sql").read_text(encoding="utf-8")},
        {"sql": "SELECT 1", "session": True},  # makes _cf_METADATA
    )
    assert (made["success"], session["success"]) == (True, True), made
    source = next((workspace / "engine").rglob(opened.file.name)).parent
    opened.file.parent.mkdir(parents=True)
    for part in source.glob(f"{opened.file.stem}.sqlite*"):
        shutil.copy(part, opened.file.parent)
    yield opened
    opened.app.close()


def test_every_statement_has_the_rows_columns_and_refusal_that_d1_gives(portal: Portal, workspace: Path) -> None:
    """No difference but those that are known, and each of those still is one."""
    asked = [{"sql": each.sql, "parameters": each.parameters, "raw": True} for each in STATEMENTS]
    theirs = in_d1(workspace / "engine", ID, *asked)
    ours = [portal.query(each.sql, parameters=list(each.parameters), limit=1000) for each in STATEMENTS]

    different = {
        each: told for each, d1, we in zip(STATEMENTS, theirs, ours, strict=True) if (told := difference(d1, we))
    }

    assert [(each.sql[:300], told) for each, told in different.items() if reason(each) is None] == []
    assert set(REASONS) - {each.sql for each in different} == set()
    assert [
        we.summary for each, we in zip(STATEMENTS, ours, strict=True) if each.category == "writes" and not we.error
    ] == []


def test_there_are_many_statements_of_every_kind() -> None:
    """Five hundred at least, none of them twice."""
    counts = Counter(each.category for each in STATEMENTS)

    assert len({(each.sql, each.parameters) for each in STATEMENTS}) >= 1000
    assert set(counts) == {path.stem for path in HERE.glob("statements/*.sql")} | {"borders", "composed"}
    assert min(counts.values()) >= 15


def test_the_known_differences_are_few_and_told() -> None:
    """People read them on the page."""
    page = " ".join(PAGE.read_text(encoding="utf-8").split())

    assert [why for why in (READS, *KNOWN) if why not in page] == []
    assert len(REASONS) <= 15


def difference(d1: Engine, ours: Answer) -> str | None:
    """What differs between the two answers to one statement."""
    if d1["success"] != (ours.error is None):
        return f"D1: {d1.get('error', 'runs')} | we: {ours.summary}"
    if not d1["success"]:
        return None if means_the_same(d1["error"], ours.summary) else f"D1: {d1['error']} | we: {ours.summary}"
    if d1["columns"] != ours.data["columns"]:
        return f"D1: {d1['columns']} | we: {ours.data['columns']}"
    if len(d1["rows"]) != len(ours.data["rows"]):
        return f"D1: {len(d1['rows'])} rows | we: {len(ours.data['rows'])}"
    pairs = zip(d1["rows"], ours.data["rows"], strict=True)
    return next((f"D1: {one} | we: {other}" for one, other in pairs if not same_row(one, other)), None)


def means_the_same(error: str, summary: str) -> bool:
    """Whether our *summary* says what D1's *error* says."""
    said = BEHIND.sub("", error.removeprefix("D1_ERROR: "))
    expected = [match.expand(ours) for theirs, ours in MEANINGS if (match := re.search(theirs, said))]
    return said in summary or any(re.search(pattern, summary) for pattern in expected)


def same_row(one: list[Any], other: list[Any]) -> bool:
    """Whether two rows hold the same values."""
    return len(one) == len(other) and all(same(*pair) for pair in zip(one, other, strict=True))


def same(d1: Any, ours: Any) -> bool:
    """Whether D1's value, which came through JavaScript, is ours in our wire form."""
    if isinstance(d1, list):
        return bool(ours == {"blob": len(d1), "hex": bytes(d1[:32]).hex()})
    if isinstance(ours, dict):
        return bool(d1 == bytes.fromhex(ours["hex"]).decode("utf-8", "replace"))
    if ours in ("Infinity", "-Infinity"):
        return d1 in (None, ours)
    if isinstance(d1, int | float) and isinstance(ours, str):
        return ours.lstrip("-").isdigit() and abs(int(ours)) > 2**53 - 1 and float(ours) == float(d1)
    numbers = isinstance(d1, int | float) and isinstance(ours, int | float)
    return float(d1) == float(ours) if numbers else bool(d1 == ours)


def test_a_comparison_notices_what_differs(portal: Portal) -> None:
    """Else it would prove nothing."""
    answered = portal.query("SELECT 1 AS a")
    others: list[Engine] = [
        {"success": True, "columns": ["b"], "rows": [[1]]},
        {"success": True, "columns": ["a"], "rows": [[2]]},
        {"success": True, "columns": ["a"], "rows": [["1"]]},
        {"success": True, "columns": ["a"], "rows": [[1], [1]]},
        {"success": False, "error": "D1_ERROR: no such table: a: SQLITE_ERROR"},
    ]

    assert difference({"success": True, "columns": ["a"], "rows": [[1]]}, answered) is None
    assert [bool(difference(other, answered)) for other in others] == [True] * len(others)
    assert not means_the_same("D1_ERROR: no such table: a: SQLITE_ERROR", "There is no table `b`.")


def test_statements_are_told_apart_by_their_parameters() -> None:
    """A statement is its text and its values."""
    assert Statement("borders", "SELECT ?", (1,)) != Statement("borders", "SELECT ?", (2,))
