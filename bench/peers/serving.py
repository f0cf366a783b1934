"""Requests a second over HTTP beside the SDK's own echo server, as bench/load.py measures them."""

import argparse
import tempfile
from pathlib import Path

from bench import load
from bench.load import ECHO
from bench.peers.results import OURS, Found

RATE = {workers: f"HTTP requests/s, {workers} worker{'s' * (workers > 1)}" for workers in (1, 2)}
CPU = "HTTP CPU per request"
SCALING = "HTTP, two workers beside one"
ASKED = "d1_query, one row"


def serving(found: Found, rounds: int, seconds: float) -> str:
    """Measure both servers with one and two workers, and give the table."""
    chosen = argparse.Namespace(seconds=seconds, rounds=rounds, connections=16, workers=[1, 2], era="modern")
    with tempfile.TemporaryDirectory(prefix="mcp-daan-bench-") as folder:
        runs = load.measured(Path(folder), chosen, [ASKED])
    for name, shown in ((ECHO, ECHO), (ASKED, OURS)):
        for workers, measure in RATE.items():
            for each, cpu in zip(runs[name, workers].loads, runs[name, workers].cpu, strict=True):
                found.add(measure, shown, [each.per_second])
                if workers == 1:
                    found.add(CPU, shown, [cpu])
        for one, two in zip(runs[name, 1].rates, runs[name, 2].rates, strict=True):
            found.add(SCALING, shown, [two / one])
    failed = sum(each.failed for run in runs.values() for each in run.loads)
    note = f"\n{failed} requests failed.\n" if failed else "\nNo request failed.\n"
    return load.table(runs, chosen) + note
