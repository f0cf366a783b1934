"""The tables: a row a promise with its verdict, a row a measure with every server, versions, and what is missing."""

import os
import platform
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime

import apsw

from bench.peers import measure
from bench.peers.field import FLOOR
from bench.peers.install import BIN, NPM, PYPI, ROOT, version
from bench.peers.libraries import SEARCH
from bench.peers.results import OURS, Found, Judged, interval, middle, tail
from bench.peers.serving import CPU, ECHO, RATE, SCALING
from mcp_daan import __version__

UNITS = {
    **dict.fromkeys((*measure.START.values(), measure.FIRST, measure.ONE, measure.HUNDRED, SEARCH, CPU), "ms"),
    **dict.fromkeys((measure.IDLE, measure.AFTER, measure.SHARED), "MB"),
    measure.BYTES: "bytes",
    measure.GROWTH: "%",
    measure.TOOLS: "",
    measure.TOKENS: "tokens",
    **dict.fromkeys(RATE.values(), "/s"),
    SCALING: "×",
}


def verdicts(rows: Sequence[Judged]) -> str:
    """A row a promise."""
    lines = [
        "| what | target | ours | the other | ratio (range) | verdict |",
        "|---|---|---|---|---|---|",
    ]
    for row in rows:
        target = row.target
        sign = "≥" if target.least else "≤"
        if target.against:
            named = "the best of " if len(target.against) > 1 else ""
            promise = f"{sign} {target.limit:g} × {named}{', '.join(target.against)}"
            other = f"{row.peer}: {figure(row.theirs)}" if row.peer else "–"
        else:
            promise, other = f"{sign} {target.limit:,g}", ""
        promise += " (stretch)" if target.stretch else ""
        ratio = f"{row.figure:.2f} ({row.low:.2f}–{row.high:.2f})" if target.against else _range(row)
        if row.verdict == "not measured":
            ratio, ours = "–", "–"
        else:
            ours = figure(row.ours)
        lines.append(f"| {target.what} | {promise} | {ours} | {other} | {ratio} | **{row.verdict}** |")
    return "\n".join(lines) + "\n"


def _range(row: Judged) -> str:
    return f"({figure(row.low)}–{figure(row.high)})" if row.low != row.high else ""


def everything(found: Found) -> str:
    """A table a measure: every server with its median, least, 99th percentile, and beside ours."""
    parts = []
    for name, servers in found.samples.items():
        unit = UNITS[name]
        parts.append(f"**{name}**{', ' + unit if unit else ''}\n")
        parts.append("| server | median | min | p99 | rounds | beside ours (range) |\n|---|---:|---:|---:|---:|---:|")
        best_first = sorted(servers, key=lambda server: middle(found.all(name, server)), reverse=unit in ("/s", "×"))
        for server in best_first:
            values = found.all(name, server)
            parts.append(
                f"| {server} | {figure(middle(values))} | {figure(min(values))} | {figure(tail(values))}"
                f" | {len(servers[server])} | {_beside(found, name, server)} |"
            )
        parts.append("")
    return "\n".join(parts)


def _beside(found: Found, name: str, server: str) -> str:
    ours, theirs = found.rounds(name, OURS), found.rounds(name, server)
    if server == OURS or not ours or name == measure.GROWTH:
        return ""
    ratios = [b / a for a, b in zip(ours, theirs, strict=False)]
    low, high = interval(ratios)
    return f"{middle(ratios):.2f} × ({low:.2f}–{high:.2f})" if low != high else f"{low:.2f} ×"


def figure(value: float) -> str:
    """Three digits that count, and no more decimals than two."""
    if abs(value) >= 100 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def surroundings() -> str:
    """When and on what it was measured."""
    now = datetime.now(UTC)
    return (
        f"Measured on {now:%Y-%m-%d} at commit {_said('git', 'rev-parse', '--short', 'HEAD')}, {platform.system()}"
        f" {platform.machine()}, {os.cpu_count()} cores, with a load of {os.getloadavg()[2]:.1f} in the last quarter"
        f" of an hour."
    )


def versions(found: Found) -> str:
    """What was measured, each with its version."""
    sdk = _said(str(BIN / "python"), "-c", "from importlib.metadata import version; print(version('mcp'))")
    lines = [
        f"- {OURS} {__version__}, Python {platform.python_version()}, SQLite {apsw.sqlite_lib_version()}, SDK {sdk}",
        f"- {FLOOR}: `bench/peers/floor.py`, a loop of 35 lines around one statement, which guards and checks nothing",
        f"- {ECHO}: `bench/serving/echo.py`, SDK {sdk}",
        f"- Node {_said(str(BIN / 'node'), '--version')}, for the npm packages",
        *(f"- {name} {version(name)} ({'npm' if name in NPM else 'PyPI'})" for name in (*NPM, *PYPI)),
    ]
    measured = {OURS, FLOOR, ECHO, *found.servers()}
    return "\n".join(
        line for line in lines if ("(npm)" not in line and "(PyPI)" not in line) or line.split()[1] in measured
    )


def missing(found: Found) -> str:
    """Who was not measured this time, and why."""
    return (
        "".join(f"- {name}: {why}\n" for name, why in found.absent.items()) or "- Everyone who is named was measured.\n"
    )


def _said(*command: str) -> str:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"
