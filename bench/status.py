"""How long `infra_status` takes on the demo workspace: `python -m bench.status [RUNS]`."""

import statistics
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from mcp_daan.app import App
from mcp_daan.demo.workspace import make_workspace
from mcp_daan.toolbox import run
from mcp_daan.tools import all_tools
from mcp_daan.tools.sources import sources


def taken(runs: int) -> dict[str, list[float]]:
    """The seconds of each run: of the whole, then of each source by itself."""
    with tempfile.TemporaryDirectory() as folder:
        make_workspace(Path(folder), datetime.now(UTC))
        app = App(folder, {})
        asked = {each.name: (each.tool, each.arguments) for each in sources(app, reached=False)}
        jobs = {"infra_status": (all_tools()["infra_status"], {}), **asked}
        times: dict[str, list[float]] = {name: [] for name in jobs}
        for _ in range(runs):
            for name, (tool, arguments) in jobs.items():
                begun = time.perf_counter()
                run(tool, app.for_call(), arguments)
                times[name].append(time.perf_counter() - begun)
        app.close()
    return times


def main() -> None:
    """Print the first, the median and the slowest run."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    sys.stdout.write(f"{'milliseconds':28}{'first':>8}{'median':>8}{'slowest':>8}\n")
    for name, times in taken(runs).items():
        figures = (times[0], statistics.median(times), max(times))
        sys.stdout.write(f"{name:28}" + "".join(f"{each * 1000:8.0f}" for each in figures) + "\n")


if __name__ == "__main__":
    main()
