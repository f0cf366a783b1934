"""`mcp-daan call` from what was typed to an answer and an exit code."""

import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from mcp_daan.cli import FAILED, main


def called(capsys: pytest.CaptureFixture[str], workspace: Path, *typed: str) -> tuple[int, dict[str, Any]]:
    code = main(["call", *typed, "--workspace", str(workspace)])
    return code, json.loads(capsys.readouterr().out)


@pytest.mark.parametrize(
    "arguments", ["{", "[1]", "null", "[" * 5000, '{"task_id":' * 5000], ids=["cut", "list", "null", "deep", "deeper"]
)
def test_what_is_no_json_object_is_a_failure_of_the_protocol(
    arguments: str, workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """However it is broken, the caller gets an answer and never a traceback."""
    code, answer = called(capsys, workspace, "d1_databases", arguments)

    assert (code, answer["error"]["code"]) == (FAILED, "invalid_arguments")
    assert answer["recommendations"] != []


def test_standard_input_that_is_not_text_is_a_failure_of_the_protocol(
    workspace: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bytes that are not UTF-8 come from a wrong file or pipe."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"\xff\xfe"), encoding="utf-8"))

    code, answer = called(capsys, workspace, "d1_databases", "-")

    assert (code, answer["error"]["code"]) == (FAILED, "invalid_arguments")


def test_an_unknown_tool_is_a_failure_that_names_the_others_and_keeps_the_task(
    workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A script finds its own id in every answer."""
    code, answer = called(capsys, workspace, "d1_databases_", '{"task_id": "T-17"}')

    assert (code, answer["error"]["code"], answer["taskId"]) == (FAILED, "not_found", "T-17")
    assert "d1_databases" in answer["recommendations"][0]


def test_the_answer_is_utf_8_whatever_the_locale_says(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A shell without a locale would else turn a letter into a traceback."""
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, encoding="ascii", write_through=True))

    main(["call", "d1_databases", '{"task_id": "één"}', "--workspace", str(workspace)])

    assert json.loads(written.getvalue())["taskId"] == "één"
