"""Counters for Prometheus. Each process writes down its own, and the one that is asked adds them up."""

import json
import os
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

from mcp_daan import __version__
from mcp_daan.server.records import Record

BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
# Name → kind and what it counts, as they are shown.
SHOWN = {
    "daan_requests_total": ("counter", "HTTP requests by status."),
    "daan_refusals_total": ("counter", "Requests that were refused before any work, by reason."),
    "daan_calls_total": ("counter", "Calls by tool (prompt, kind of resource) and outcome."),
    "daan_call_seconds": ("histogram", "How long calls took, by tool."),
    "daan_requests_running": ("gauge", "HTTP requests that run now."),
    "daan_workers": ("gauge", "Processes that serve."),
    "process_resident_memory_bytes": ("gauge", "Memory of the processes that serve."),
    "process_cpu_seconds_total": ("counter", "Processor time of the processes that serve."),
}
Samples = dict[str, float]


class Metrics:
    """The counters of one process; with *folder* those of the others that write there too."""

    def __init__(self, folder: Path | None = None) -> None:
        self._samples: defaultdict[str, float] = defaultdict(float)
        self._lock = threading.Lock()
        # The time tells a process from an earlier one of the same id.
        self._file = None if folder is None else folder / f"{os.getpid()}-{time.time_ns()}.json"

    def add(self, name: str, labels: Mapping[str, str] | None = None, value: float = 1) -> None:
        """Count *value* more."""
        with self._lock:
            self._samples[name + _labels(labels or {})] += value

    def record(self, record: Record) -> None:
        """Count a call."""
        name = record.name or "unknown"
        self.add("daan_calls_total", {"method": record.method, "name": name, "outcome": record.outcome})
        seconds = record.milliseconds / 1000
        with self._lock:
            for bucket in BUCKETS:
                if seconds <= bucket:
                    self._samples["daan_call_seconds_bucket" + _labels({"name": name, "le": f"{bucket:g}"})] += 1
            self._samples["daan_call_seconds_bucket" + _labels({"name": name, "le": "+Inf"})] += 1
            self._samples["daan_call_seconds_sum" + _labels({"name": name})] += seconds
            self._samples["daan_call_seconds_count" + _labels({"name": name})] += 1

    def write(self) -> None:
        """Leave the counters where the other processes find them."""
        if self._file is not None:
            half = self._file.with_suffix(".half")
            half.write_text(json.dumps(self._all()), encoding="utf-8")
            half.replace(self._file)

    def text(self) -> str:
        """All processes' counters in Prometheus' text format."""
        total: defaultdict[str, float] = defaultdict(float)
        for samples in (self._all(), *self._others()):
            for key, value in samples.items():
                total[key] += value
        lines = ["# HELP daan_info The version.", "# TYPE daan_info gauge", f'daan_info{{version="{__version__}"}} 1']
        for name, (kind, told) in SHOWN.items():
            lines += [f"# HELP {name} {told}", f"# TYPE {name} {kind}"]
            lines += [f"{key} {value:.17g}" for key, value in sorted(total.items(), key=_order) if _of(key, name, kind)]
        return "\n".join(lines) + "\n"

    def _all(self) -> Samples:
        with self._lock:
            return {**self._samples, **_process()}

    def _others(self) -> Iterator[Samples]:
        if self._file is None:
            return
        for path in sorted(self._file.parent.glob("*.json")):
            if path != self._file:
                found = json.loads(path.read_text(encoding="utf-8"))
                # What a process that has ended counted stays counted; what it was doing it does no more.
                lives = Path(f"/proc/{path.name.partition('-')[0]}").exists() or not Path("/proc/self").exists()
                gauges = {name for name, (kind, _) in SHOWN.items() if kind == "gauge"}
                yield {key: value for key, value in found.items() if lives or key not in gauges}


def _process() -> Samples:
    used = os.times()
    samples = {"daan_workers": 1.0, "process_cpu_seconds_total": used.user + used.system}
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except OSError:  # not Linux
        return samples
    return {**samples, "process_resident_memory_bytes": float(pages * os.sysconf("SC_PAGE_SIZE"))}


def _labels(labels: Mapping[str, str]) -> str:
    escaped = {
        name: value.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"") for name, value in labels.items()
    }
    return "{" + ",".join(f'{name}="{value}"' for name, value in escaped.items()) + "}" if labels else ""


def _of(key: str, name: str, kind: str) -> bool:
    bare = key.partition("{")[0]
    return bare == name or (kind == "histogram" and bare in (f"{name}_bucket", f"{name}_sum", f"{name}_count"))


def _order(sample: tuple[str, float]) -> tuple[str, float]:
    # Buckets of one histogram in ascending order, as the format wants them.
    bare, _, bound = sample[0].partition('le="')
    return bare, float(bound.rstrip('"}')) if bound else 0.0
