"""Hostile and honest statements, each through the real tool against real files."""

import json
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from mcp_daan.app import App

from .conftest import SECONDS, Portal, code, contents

LINES = [
    json.loads(line)
    for line in (Path(__file__).parents[1] / "data/d1/hostile_sql.jsonl").read_text(encoding="utf-8").splitlines()
]
MEMORY = 400 << 20


def having(*expectations: str) -> list[Any]:
    """The statements that are expected to end so."""
    return [pytest.param(line, id=line["id"]) for line in LINES if line["expect"] in expectations]


def sent(portal: Portal, line: dict[str, Any]) -> Any:
    """The answer to a line of the corpus."""
    sql = line["sql"].replace("{DIR}", str(portal.file.parent))
    return portal.query(sql, parameters=line.get("parameters", []))


@pytest.mark.parametrize("line", having("refused"))
def test_what_does_more_than_read_fails_and_leaves_no_trace(shared: Portal, line: dict[str, Any]) -> None:
    """No byte in the workspace changes, no file appears, and the next statement answers."""
    before = contents(shared.root)

    answer = sent(shared, line)

    assert (answer.status, answer.data) == ("failed", {})
    assert code(answer) in ("refused", "invalid_arguments", "too_large")
    assert answer.recommendations != []
    assert before == contents(shared.root)
    assert shared.rows("SELECT count(*) FROM users") == [[4]]


@pytest.mark.parametrize("line", having("allowed"))
def test_what_only_reads_is_answered(shared: Portal, line: dict[str, Any]) -> None:
    """However much it looks like something else."""
    answer = sent(shared, line)

    assert answer.error is None


@pytest.mark.parametrize("line", having("allowed_or_refused"))
def test_what_d1_does_not_know_is_answered_or_refused(shared: Portal, line: dict[str, Any]) -> None:
    """SQLite allows it and D1 does not."""
    assert code(sent(shared, line)) in (None, "refused", "invalid_arguments")


@pytest.mark.parametrize("line", having("bounded"))
def test_what_never_ends_is_ended_while_others_are_answered(shared: Portal, line: dict[str, Any]) -> None:
    """Within the deadline and two seconds, under 400 MB, with another call answered meanwhile."""
    started = time.monotonic()
    answers: list[Any] = []
    thread = threading.Thread(target=lambda: answers.append(sent(shared, line)))
    thread.start()

    beside = shared.rows("SELECT count(*) FROM users")
    beside_seconds = time.monotonic() - started
    peak = 0
    while thread.is_alive():
        peak = max(peak, *(memory(process) for process in shared.app.pool.processes), 0)
        thread.join(0.01)

    assert beside == [[4]]
    assert beside_seconds < SECONDS
    assert time.monotonic() - started < SECONDS + 2
    assert answers[0].status in ("complete", "partial") or code(answers[0]) in (
        "too_slow",
        "too_large",
        "invalid_arguments",
    )
    assert peak < MEMORY
    assert shared.rows("SELECT 1") == [[1]]


def memory(process: int) -> int:
    """The resident bytes of *process*; 0 where the system does not tell or it is gone."""
    try:
        status = Path(f"/proc/{process}/status").read_text(encoding="utf-8")
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM")), 0)


def test_the_corpus_is_whole() -> None:
    """A line that is lost would be a guard that is not tested."""
    assert len(LINES) == len({line["id"] for line in LINES})
    assert {line["expect"] for line in LINES} == {"refused", "allowed", "allowed_or_refused", "bounded"}


def test_nothing_of_the_corpus_is_sent_by_an_app_that_has_no_database(app: App) -> None:
    """Without a database every statement fails in the same way."""
    portal = Portal(app.workspace.root)
    answer = portal.query("DELETE FROM users")

    assert code(answer) == "not_found"
    portal.app.close()
