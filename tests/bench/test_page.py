"""docs/benchmarks.md has every promise, every line of growth, and the commands that write them."""

import json
import re
from pathlib import Path

import pytest

from bench.growth.legs import LEGS
from bench.peers import page
from bench.peers.__main__ import compared, ratios, report
from bench.peers.libraries import questions
from bench.peers.results import OURS, Found, Judged, Target, judged
from bench.peers.targets import TARGETS

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "benchmarks.md").read_text(encoding="utf-8")


@pytest.fixture
def found() -> Found:
    """Every measure of every target, for ours and for everyone who is named."""
    made = Found(absent={"somebody": "pip could not install it"})
    for target in TARGETS:
        for server in (OURS, *target.against):
            if server not in made.samples.get(target.measure, {}):
                made.add(target.measure, server, [1.0 if server == OURS else 3.0])
    return made


def test_every_promise_has_its_row_and_verdict(found: Found) -> None:
    """A loss is called one."""
    table = page.verdicts([judged(target, found) for target in TARGETS])

    assert len(table.splitlines()) == len(TARGETS) + 2
    assert (
        "| `d1_query`, one row, p50 | ≤ 1 × toolbox-server (stretch) | 1 | toolbox-server: 3 | 0.33 (0.33–0.33) | **met** |"
        in table
    )
    assert "two workers beside one | ≥ 1.3 | 1 |  |  | **missed** |" in table


def test_a_promise_that_nobody_measured_is_not_kept() -> None:
    """It stays in the table."""
    table = page.verdicts([judged(target, Found()) for target in TARGETS])

    assert table.count("**not measured**") == len(TARGETS)


def test_the_page_tells_who_is_missing_and_why(found: Found) -> None:
    """Beside every server with its figures, the best first."""
    text = report(found, [], "", "", 1.0)

    assert "- somebody: pip could not install it" in text
    assert re.search(r"\| mcp-daan \| 1 \|.*\n\| basic-memory \| 3 \| 3 \| 3 \| 1 \| 3.00 × \|", text)


def test_the_picture_leaves_the_floor_out(found: Found) -> None:
    """It is nobody's peer."""
    found.add("one row", "floor", [0.1])

    assert {server for row in ratios(found).values() for server in row} >= {OURS, "@bytebase/dbhub"}
    assert "floor" not in ratios(found)["one row"]


def test_verdicts_that_change_between_runs_are_told(tmp_path: Path) -> None:
    """The same ones are, too."""
    target = Target("a start", "time", 0.5, ("peer",))
    said = [compared([Judged(target, verdict)], tmp_path / "kept.json") for verdict in ("met", "met", "missed")]

    assert said == [
        "no run before this one to compare verdicts with",
        "the verdicts of the run before",
        "verdicts that changed since the run before:\na start 0.5 peer: met, now missed",
    ]


def test_questions_are_the_given_ones_or_made_from_the_pages(tmp_path: Path) -> None:
    """None twice."""
    corpus = tmp_path / "docs-corpus"
    corpus.mkdir()
    (corpus / "a.md").write_text("# A\n\n## How to pause a queue\n\nPause it.\n")
    assert questions(tmp_path, corpus) == ["How to pause a queue"]

    case = {"query": "pausing", "kind": "nl", "relevant": ["a.md"]}
    (tmp_path / "queries_dev.jsonl").write_text(f"{json.dumps(case)}\n{json.dumps(case)}\n")
    assert questions(tmp_path, corpus) == ["pausing"]


@pytest.mark.parametrize("what", sorted({target.what for target in TARGETS}))
def test_the_page_has_every_promise(what: str) -> None:
    """With a verdict from the measurement."""
    assert re.search(rf"^\| {re.escape(what)} \|.*\| \*\*(met|missed|unsure|not measured)\*\* \|$", PAGE, re.M)


def test_the_page_has_every_size_of_growth() -> None:
    """A row with the sizes of each leg."""
    missing = [name for name, (_, sizes) in LEGS.items() if " · ".join(f"{size:,}" for size in sizes) not in PAGE]

    assert missing == []


@pytest.mark.parametrize("target", ["bench", "bench-quick", "bench-growth"])
def test_the_page_names_the_commands_that_there_are(target: str) -> None:
    """The makefile has them."""
    assert f"`make {target}`" in PAGE
    assert re.search(rf"^{target}: \.venv/developing$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M)
