"""What the server tells about itself: audit, metrics, spans; and several processes of it."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from mcp_daan.server.audit import AuditFile
from mcp_daan.server.http.metrics import Metrics
from mcp_daan.server.locking import locked
from mcp_daan.server.records import Record
from tests.http.servers import MODERN, Server, children, environment, wait

SECRET = "a-value-that-nobody-may-see"
SAMPLE = re.compile(r'^[a-z_]+(\{([a-z_]+="(?:[^"\\]|\\.)*",?)+\})? -?[0-9.e+-]+$')


def audited(path: Path) -> list[dict[str, Any]]:
    """The lines of an audit file."""
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_every_call_leaves_a_line_without_any_value_of_its_arguments(demo: Path, home: Path) -> None:
    """Who, what, task, component, rows, milliseconds and outcome; calls, resources and prompts, good and bad."""
    file = home / "audit.jsonl"
    started = Server(demo, home, DAAN_AUDIT_FILE=str(file))
    sql = f"SELECT id, '{SECRET}' FROM connections LIMIT 3"
    try:
        started.call("d1_query", {"database": "portal-db", "sql": sql, "task_id": "T-17"})
        started.call("d1_query", {"database": SECRET, "sql": "SELECT 1", "task_id": "T-18"})
        started.ask("tools/call", {"name": SECRET, "arguments": {}})
        started.result("resources/read", {"uri": "d1://portal-db/schema"})
        started.ask("resources/read", {"uri": f"knowledge://backend/{SECRET}"})
        started.result("prompts/get", {"name": "daan", "arguments": {"opdracht": SECRET}})
        started.result("tools/list")
    finally:
        started.close()
    lines = audited(file)

    keys = ["who", "method", "name", "task_id", "component", "rows", "outcome"]
    assert [[line[key] for key in keys] for line in lines] == [
        ["local", "tools/call", "d1_query", "T-17", "d1", 3, "complete"],
        ["local", "tools/call", "d1_query", "T-18", "d1", None, "not_found"],
        ["local", "tools/call", None, None, None, None, "unknown"],
        ["local", "resources/read", "d1://", None, None, None, "complete"],
        ["local", "resources/read", "knowledge://", None, None, None, "refused -32602"],
        ["local", "prompts/get", "daan", None, None, None, "complete"],
    ]
    assert all(line["milliseconds"] >= 0 and re.match(r"\d{4}-\d\d-\d\dT", line["time"]) for line in lines)
    assert (SECRET in file.read_text(), SECRET in started_log(started)) == (False, False)
    assert file.stat().st_mode & 0o077 == 0


def started_log(server: Server) -> str:
    return "" if server.said.closed else server.log


def test_the_audit_goes_to_stderr_unless_a_file_is_set(server: Server) -> None:
    """As JSON lines among the others."""
    server.call("d1_databases", {"task_id": "T-stderr"})

    assert wait(lambda: [line for line in server.log.splitlines() if "T-stderr" in line and json.loads(line)])


def test_the_audit_is_kept_over_stdio_where_a_file_is_set(demo: Path, tmp_path: Path) -> None:
    """And nowhere else: a client shows its user what stands on stderr."""
    call = {"name": "d1_databases", "arguments": {"task_id": "T-1"}, "_meta": MODERN}
    message = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": call}) + "\n"
    for file in (None, tmp_path / "audit.jsonl"):
        more = {"DAAN_AUDIT_FILE": str(file)} if file else {}
        process = subprocess.Popen(
            [sys.executable, "-m", "mcp_daan", "--workspace", str(demo)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment(tmp_path, **more),
        )
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(message)
        process.stdin.flush()
        answer = process.stdout.readline()
        _, said = process.communicate(timeout=30)

        assert ('"taskId":"T-1"' in answer, said) == (True, "")
    assert [line["task_id"] for line in audited(tmp_path / "audit.jsonl")] == ["T-1"]


def test_a_full_audit_file_is_rotated_and_no_line_is_lost_between_processes(tmp_path: Path) -> None:
    """Four processes write; every line is whole, in one of the files, and the oldest file goes."""
    program = "import sys; from pathlib import Path; from mcp_daan.server.audit import AuditFile\n"
    program += "file = AuditFile(Path(sys.argv[1]), max_bytes=2000, keep=200)\n"
    program += "for n in range(500): file.write(f'{sys.argv[2]}-{n} ' + 'x' * 80 + chr(10))"
    path = tmp_path / "audit.jsonl"
    running = [
        subprocess.Popen([sys.executable, "-c", program, str(path), str(number)], env=environment(tmp_path))
        for number in range(4)
    ]
    assert [process.wait(timeout=60) for process in running] == [0] * 4
    files = [each for each in tmp_path.iterdir() if each.name.startswith("audit.jsonl") and each.suffix != ".lock"]
    lines = [line for each in files for line in each.read_text().splitlines()]

    assert len(files) > 50
    assert max(each.stat().st_size for each in files) <= 2000
    assert sorted(line.split()[0] for line in lines) == sorted(f"{p}-{n}" for p in range(4) for n in range(500))
    few = AuditFile(path, max_bytes=200, keep=2)
    for number in range(20):
        few.write(f"{number} {'x' * 150}\n")
    assert [path.with_name(f"audit.jsonl.{number}").exists() for number in (1, 2)] == [True, True]
    assert path.with_name("audit.jsonl.1").read_text().startswith("18 ")


def test_a_line_waits_while_another_process_is_in_the_file(tmp_path: Path) -> None:
    """Else it might go into a file that is just being renamed."""
    file = AuditFile(tmp_path / "audit.jsonl", max_bytes=1000, keep=2)
    writing = threading.Thread(target=file.write, args=("late\n",))
    with locked(tmp_path / "audit.jsonl"):
        writing.start()
        writing.join(0.3)
        meanwhile = (tmp_path / "audit.jsonl").read_text()
    writing.join(10)

    assert (meanwhile, (tmp_path / "audit.jsonl").read_text()) == ("", "late\n")


def test_an_audit_file_that_cannot_be_written_is_said_before_anything_is_served(demo: Path, home: Path) -> None:
    """An audit that is asked for and not kept would be worse than none."""
    done = subprocess.run(
        [sys.executable, "-m", "mcp_daan", "serve", "--http", "127.0.0.1:0", "--workspace", str(demo)],
        capture_output=True,
        text=True,
        env=environment(home, DAAN_AUDIT_FILE="/proc/nothing/audit.jsonl"),
        timeout=60,
    )

    assert (done.returncode, "audit" in done.stderr, "Traceback" in done.stderr) == (2, True, False)


def test_metrics_are_in_prometheus_text_and_count_what_happened(demo: Path, home: Path) -> None:
    """Requests, calls by tool and outcome, seconds, refusals; a name that a caller made up is no label."""
    started = Server(demo, home)
    try:
        started.call("d1_databases", {})
        started.call("d1_query", {"database": "absent", "sql": "SELECT 1"})
        started.ask("tools/call", {"name": SECRET, "arguments": {}})
        started.http.get("/mcp")
        answer = started.http.get("/metrics")
    finally:
        started.close()
    lines = [line for line in answer.text.splitlines() if not line.startswith("#")]

    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert [line for line in lines if not SAMPLE.match(line)] == []
    for line in (
        'daan_calls_total{method="tools/call",name="d1_databases",outcome="complete"} 1',
        'daan_calls_total{method="tools/call",name="d1_query",outcome="not_found"} 1',
        'daan_calls_total{method="tools/call",name="unknown",outcome="unknown"} 1',
        'daan_call_seconds_count{name="d1_databases"} 1',
        'daan_call_seconds_bucket{name="d1_databases",le="+Inf"} 1',
        'daan_refusals_total{reason="method"} 1',
        "daan_workers 1",
        "daan_requests_running 1",
    ):
        assert line in lines
    assert SECRET not in answer.text
    bounds = re.findall(r'daan_call_seconds_bucket\{name="d1_databases",le="([^"]+)"', answer.text)
    assert bounds == sorted(bounds, key=float)


def test_a_label_cannot_break_out_of_its_line() -> None:
    """The format has its own escapes."""
    metrics = Metrics()
    metrics.add("daan_refusals_total", {"reason": 'a"b\\c\nd'})
    metrics.record(Record("x", "tools/call", None, None, None, None, 12.5, "unknown"))

    assert r'daan_refusals_total{reason="a\"b\\c\nd"} 1' in metrics.text().splitlines()


def test_several_processes_serve_as_one(demo: Path, home: Path) -> None:
    """Each may answer; counters are those of all; one that dies is replaced and what it counted stays counted."""
    file = home / "audit.jsonl"
    started = Server(demo, home, "--workers", "2", DAAN_AUDIT_FILE=str(file))
    try:
        assert wait(lambda: sample(started, "daan_workers") == 2)
        for number in range(12):
            # A connection of its own for each, so that each process gets some.
            started.http.close()
            started.http = type(started.http)(base_url=started.base, timeout=60)
            started.call("lessons_list", {"limit": 1, "task_id": f"T-{number}"})
        counted = wait(lambda: sample(started, 'daan_calls_total{method="tools/call",name="lessons_list"') == 12)
        serving = [pid for pid in started.children if str(pid) in serving_processes(started)]
        assert wait(lambda: written(serving[0]) == 12)
        os.kill(serving[0], signal.SIGKILL)
        after = [started.ask("tools/list").status_code for _ in range(3)] if renewed(started, serving[0]) else []
        kept = wait(lambda: sample(started, 'daan_calls_total{method="tools/call",name="lessons_list"') == 12)
        back = wait(lambda: sample(started, "daan_workers") == 2)
        code = started.stop()
    finally:
        started.close()

    assert (counted, len(serving), kept, back, code) == (True, 2, True, True, 0)
    assert after == [200] * 3
    assert sorted(line["task_id"] for line in audited(file)) == sorted(f"T-{number}" for number in range(12))


def written(pid: int) -> float:
    """How many calls the processes beside *pid*, and it, have written down; they do each second."""
    variables = dict(each.split("=", 1) for each in Path(f"/proc/{pid}/environ").read_text().split("\0") if "=" in each)
    kept = [json.loads(path.read_text()) for path in Path(variables["MCP_DAAN_METRICS"]).glob("*.json")]
    return sum(value for each in kept for key, value in each.items() if key.startswith("daan_calls_total"))


def sample(server: Server, start: str) -> float:
    """The value of the metric that begins with *start*."""
    lines = fresh(server).splitlines()
    return next((float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(start)), 0.0)


def fresh(server: Server) -> str:
    """The metrics, over a connection of its own."""
    import httpx2

    try:
        return httpx2.get(f"{server.base}/metrics", timeout=10).text
    except httpx2.HTTPError:  # the process that took the connection was killed
        return ""


def serving_processes(server: Server) -> list[str]:
    """The ids of the processes that serve: those that listen, not the one that tracks their resources."""
    found = []
    for pid in children(server.process.pid):
        try:
            line = Path(f"/proc/{pid}/cmdline").read_bytes().decode()
        except OSError:
            continue
        if "spawn_main" in line:
            found.append(str(pid))
    return found


def renewed(server: Server, gone: int) -> bool:
    """Whether another process has taken the place of *gone* and serves."""
    return bool(wait(lambda: str(gone) not in serving_processes(server) and sample(server, "daan_workers") == 2, 30))


def test_without_the_process_that_started_them_the_others_end_too(demo: Path, home: Path) -> None:
    """A supervisor that is killed leaves nobody serving behind."""
    started = Server(demo, home, "--workers", "2")
    try:
        assert wait(lambda: sample(started, "daan_workers") == 2)
        serving = serving_processes(started)
        started.process.kill()
        started.process.wait()

        assert wait(lambda: [pid for pid in serving if Path(f"/proc/{pid}").exists()] == [], 20)
    finally:
        started.close()


class Collector:
    """What receives spans: OTLP over HTTP."""

    def __init__(self) -> None:
        self.received: list[ExportTraceServiceRequest] = []
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                collector.received.append(ExportTraceServiceRequest.FromString(body))
                self.send_response(200)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *said: object) -> None:
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    @property
    def spans(self) -> list[Any]:
        """Every span so far."""
        return [
            span
            for request in self.received
            for resource in request.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]

    def close(self) -> None:
        """End it."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def collector() -> Iterator[Collector]:
    """A collector of spans."""
    made = Collector()
    yield made
    made.close()


def test_spans_go_to_the_collector_that_is_configured(demo: Path, home: Path, collector: Collector) -> None:
    """One for each request, with the tool's name and the caller's own trace, and no value of an argument."""
    trace = "0af7651916cd43dd8448eb211c80319c"
    started = Server(demo, home, OTEL_EXPORTER_OTLP_ENDPOINT=collector.url)
    try:
        params = {"name": "knowledge_search", "arguments": {"query": SECRET}}
        started.post(
            {
                "jsonrpc": "2.0",
                "id": 1,
                "method": "tools/call",
                "params": {**params, "_meta": {**MODERN, "traceparent": f"00-{trace}-b7ad6b7169203331-01"}},
            },
            {"mcp-protocol-version": "2026-07-28", "mcp-method": "tools/call", "mcp-name": "knowledge_search"},
        )
    finally:
        started.close()
    (span,) = [span for span in collector.spans if span.name == "tools/call knowledge_search"]
    attributes = {each.key: each.value.string_value for each in span.attributes}

    assert span.trace_id.hex() == trace
    assert attributes["gen_ai.tool.name"] == "knowledge_search"
    assert SECRET not in str(collector.received)
    assert 'value: "mcp-daan"' in str(collector.received[0]) or "mcp-daan" in str(collector.received[0].resource_spans)


def test_a_collector_without_the_extra_that_talks_to_it_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """Spans that are asked for and not sent would be missed too late."""
    from mcp_daan.errors import InvalidArguments
    from mcp_daan.server.telemetry import export_spans

    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http.trace_exporter", None)

    with pytest.raises(InvalidArguments) as caught:
        export_spans({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"})
    assert "mcp-daan[otel]" in caught.value.advice
    for quiet in ({}, {"OTEL_EXPORTER_OTLP_ENDPOINT": "x", "OTEL_TRACES_EXPORTER": "none"}):
        export_spans(quiet)()
