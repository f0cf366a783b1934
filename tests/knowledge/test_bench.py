"""The measurement of search runs wherever its data is, and says plainly when it is not."""

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def bench(*arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name != "MCP_DAAN_BENCH_DATA"}
    command = [sys.executable, "bench/search.py", *arguments]
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
    run = bench("--data", str(tmp_path))
    first = {line[:34].strip(): line[34:].split()[0] for line in run.stdout.splitlines()[3:10]}

    assert run.returncode == 0
    assert first["mcp-daan"] == "1.000"
    assert first["FTS5 pages, raw MATCH"] == "0.500"
