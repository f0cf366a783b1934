"""The walk: a real server process, real answers, and a check of each that can fail."""

import copy
import json
import os
import re
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from mcp_daan import demo
from mcp_daan.demo.screen import Screen
from mcp_daan.demo.steps import STEPS, Answer
from mcp_daan.demo.walk import walk
from mcp_daan.demo.workspace import make_workspace

ORDER = (
    "knowledge_validate knowledge_search d1_schema d1_query tokens_health lessons_append knowledge_validate kv_read"
    " infra_status"
).split()


@pytest.fixture(scope="module")
def walked(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Answer]]:
    """A demo workspace after the walk, and the answers of the walk."""
    folder = tmp_path_factory.mktemp("walked") / "demo"
    make_workspace(folder, datetime.now(UTC))
    stdout, sys.stdout = sys.stdout, (folder.parent / "out").open("w+")
    try:
        code = walk(folder, json_output=True)
        sys.stdout.seek(0)
        said = json.load(sys.stdout)
    finally:
        sys.stdout.close()
        sys.stdout = stdout
    assert (code, said["green"], said["problems"]) == (0, True, [])
    return folder, [each["answer"] for each in said["steps"]]


def test_the_second_run_is_as_green_as_the_first(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """In words for a person: every tool is named, in order, and the last line but a few says that all is well."""
    for _ in range(2):
        code = demo.run(tmp_path / "demo", False)
        said = capsys.readouterr().out

        assert code == 0
        assert re.findall(r"(?m)^     ((?:knowledge|d1|tokens|lessons|kv|infra)_\w+) \{", said) == ORDER
        assert "\nAll 9 steps are green.\n" in said
        assert "\x1b" not in said


def test_json_is_one_object_with_the_answers_in_order(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Settings and a key of the user's own do not reach the demo's server; the fixed clock does."""
    monkeypatch.setenv("TOKEN_ENCRYPTION_KEY", "ab" * 32)
    monkeypatch.setenv("DAAN_KNOWLEDGE_PATH", "elsewhere")
    monkeypatch.setenv("DAAN_NOW", "2026-11-22T12:00:00Z")
    code = demo.run(tmp_path / "demo", True)
    said = json.loads(capsys.readouterr().out)

    assert code == 0
    assert (said["green"], said["workspace"]) == (True, str(tmp_path / "demo"))
    assert [(step["tool"], step["answer"]["status"]) for step in said["steps"]] == [
        (tool, "complete") for tool in ORDER
    ]
    assert said["steps"][4]["answer"]["data"]["asOf"] == "2026-11-22T12:00:00Z"


def test_a_folder_that_is_not_the_demos_is_refused_in_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit 2, nothing on stdout."""
    (tmp_path / "mine.txt").write_text("mine")
    code = demo.run(tmp_path, False)
    out, err = capsys.readouterr()

    assert (code, out) == (2, "")
    assert "holds files that are not the demo's" in err


def test_without_a_folder_it_is_made_in_the_users_data_folder(capsys: pytest.CaptureFixture[str]) -> None:
    """Not in the folder that one happens to stand in."""
    code = demo.run(None, True)

    assert code == 0
    assert json.loads(capsys.readouterr().out)["workspace"].startswith(os.environ["XDG_DATA_HOME"])


def test_what_is_not_as_expected_ends_the_walk(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Here somebody has corrected a document."""
    make_workspace(tmp_path, datetime.now(UTC))
    document = tmp_path / "docs/knowledge/backend/DATABASE.md"
    document.write_text(document.read_text().replace("| REAL |", "| INTEGER |"))
    code = walk(tmp_path, json_output=False)
    said = capsys.readouterr().out

    assert code == 1
    assert "not as expected: 1 column_type_differs expected, 0 found" in said
    assert "knowledge_search" not in said
    assert "The demo stopped: knowledge_validate: 1 column_type_differs" in said


@pytest.mark.parametrize("program", ["/nonexistent/python", "/bin/false"])
def test_a_server_that_does_not_start_is_told(
    tmp_path: Path, program: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is not there, or it ends at once."""
    monkeypatch.setattr(sys, "executable", program)
    code = walk(tmp_path, json_output=True)
    said = json.loads(capsys.readouterr().out)

    assert (code, said["green"], said["steps"]) == (1, False, [])
    assert said["problems"][0].startswith("The server could not be spoken to")


def set_at(*path: Any, to: Any) -> Callable[[Answer], None]:
    """Put *to* at *path* of an answer."""

    def change(answer: Answer) -> None:
        place: Any = answer
        for key in path[:-1]:
            place = place[key]
        place[path[-1]] = to

    return change


@pytest.mark.parametrize(
    ("number", "change"),
    [
        (0, set_at("data", "findings", to=[])),
        (0, set_at("data", "findings", 0, "code", to="table_missing")),
        (0, set_at("data", "branchLessons", to=[])),
        (1, set_at("data", "results", to=[])),
        (2, set_at("data", "tables", 0, "name", to="users")),
        (2, set_at("data", "tables", 0, "columns", 6, "secret", to=False)),
        (3, set_at("data", "rows", 0, 2, to="stampNL001")),
        (3, set_at("data", "masked", to=[])),
        (3, set_at("data", "rowCount", to=2)),
        (4, set_at("data", "counts", "healthy", to=71)),
        (4, set_at("data", "crypto", "nonceReuse", to=0)),
        (5, set_at("lessonsAdded", to=0)),
        (5, set_at("artifacts", to=["docs/absent.md"])),
        (6, set_at("data", "files", 2, "bytes", to=10)),
        (6, set_at("data", "findings", to=[])),
        (7, set_at("data", "keys", 0, "name", to="grant:u-1:abc")),
        (7, set_at("data", "nextCursor", to=None)),
        (8, set_at("data", "components", 1, "state", to="ok")),
        (8, set_at("data", "findings", to=[])),
    ],
)
def test_each_answer_is_held_against_what_is_known(
    walked: tuple[Path, list[Answer]], number: int, change: Callable[[Answer], None]
) -> None:
    """The answer as it came is right, and changed in one place it is not."""
    folder, answers = walked
    changed = copy.deepcopy(answers[number])
    change(changed)

    assert list(STEPS[number].wrong(answers[number], answers[:number], folder)) == []
    assert list(STEPS[number].wrong(changed, answers[:number], folder)) != []


def test_nothing_from_an_answer_steers_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    """Controls in a summary are shown as blanks."""
    Screen(quiet=False).answer(STEPS[5], {"summary": "a\x1b]0;b\x07\rc", "data": {"id": "1", "path": "x"}}, [])

    assert capsys.readouterr().out.startswith("     a ]0;b  c\n")
