"""The measurement of search runs wherever its data is, and says plainly when it is not."""

import json
import os
import subprocess
import sys
from pathlib import Path

from bench.retrieval.questions import OWN, given

ROOT = Path(__file__).parents[2]


def bench(*arguments: str, script: str = "search") -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name != "MCP_DAAN_BENCH_DATA"}
    command = [sys.executable, f"bench/{script}.py", *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def test_without_data_it_says_what_to_name(tmp_path: Path) -> None:
    """No traceback, no figures."""
    runs = [bench(), bench("--data", str(tmp_path))]

    assert [(run.returncode, run.stdout) for run in runs] == [(2, ""), (2, "")]
    assert all("--data" in run.stderr and "Traceback" not in run.stderr for run in runs)


def test_with_data_it_prints_every_way_of_searching(tmp_path: Path) -> None:
    """On two pages and two questions, where raw FTS5 understands only one of them."""
    (tmp_path / "docs-corpus").mkdir()
    (tmp_path / "docs-corpus/a.md").write_text("# Queues\n\nPause a queue.\n")
    (tmp_path / "docs-corpus/b.md").write_text("# Buckets\n\nLock a bucket.\n")
    cases = [
        {"id": "1", "query": "queue", "kind": "kw", "relevant": ["a.md"]},
        {"id": "2", "query": "how do I lock it?", "kind": "nl", "relevant": ["b.md"]},
    ]
    (tmp_path / "queries_dev.jsonl").write_text("\n".join(map(json.dumps, cases)))
    run = bench("--data", str(tmp_path), "--generated")
    lines = run.stdout.splitlines()
    asked = next(number for number, line in enumerate(lines) if line == "2 given questions")
    first = {line[:28].strip(): line[28:].split()[0] for line in lines[asked + 2 : asked + 10]}

    assert run.returncode == 0, run.stderr
    assert first["mcp-daan"] == "1.000"
    assert first["FTS5, as typed"] == "0.500"
    assert {"basic-memory's form", "docs-mcp-server's form", "qmd's form"} <= first.keys()
    assert "The extra `semantic` is not installed: search by meaning is not measured." in lines


def test_freshness_is_measured_on_pages_that_it_makes() -> None:
    """For as many files as one names."""
    run = bench("30", script="freshness")

    assert (run.returncode, run.stdout.splitlines()[1].split()[0]) == (0, "30"), run.stderr


def test_every_question_of_our_own_is_asked_in_both_languages() -> None:
    """Of the same page."""
    cases = given(OWN)
    english, dutch = ([case.relevant for case in cases if case.kind == kind] for kind in ("nl", "nl-dutch"))

    assert len(cases) == 88
    assert english == dutch
