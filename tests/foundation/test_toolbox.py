"""One call, from arguments to an Output Protocol object, whatever happens on the way."""

import json
import logging
import secrets
from dataclasses import dataclass, field
from typing import Annotated, Any

import pytest
from pydantic import Field

from mcp_daan import toolbox
from mcp_daan.errors import Conflict, DaanError, NotFound, Unavailable
from mcp_daan.protocol import Answer, Model, Reply, to_json
from mcp_daan.scrub import Secrets
from mcp_daan.toolbox import Limit, Text, Tool, tool
from tests.asking import run


class Echo(Model):
    """What the test's tool gives back."""

    said: str
    next_cursor: str | None = None


@dataclass
class Desk:
    """The least that a call needs."""

    secrets: Secrets = field(default_factory=Secrets)
    max_answer_bytes: int = 65536
    error: Exception | None = None

    def redact(self, text: str) -> str:
        return self.secrets.scrub(text)


@tool(title="Echo", component="d1")
def echo(
    app: Desk,
    text: Text,
    times: Limit = 1,
    tags: Annotated[list[str] | None, Field(description="Words.")] = None,
    either: Text | Annotated[list[Text], Field(max_length=2)] | None = None,
) -> Reply[Echo]:
    """Say *text* again."""
    if app.error is not None:
        raise app.error
    return Reply("Said.", Echo(said=text * times))


ECHO: Tool = echo.__daan_tool__  # type: ignore[attr-defined]


def failed(answer: Answer) -> tuple[str, str | None, str]:
    return answer.status, answer.error and answer.error.code, answer.summary


def test_a_call_gives_every_key_of_the_protocol_in_order() -> None:
    """The seven keys of the team come first, then data and error."""
    answer = run(ECHO, Desk(), {"text": "hi", "times": 2, "task_id": "T-17"})

    assert to_json(answer.model_dump(by_alias=True)) == to_json(
        {
            "taskId": "T-17",
            "status": "complete",
            "summary": "Said.",
            "artifacts": [],
            "component": "d1",
            "lessonsAdded": 0,
            "recommendations": [],
            "data": {"said": "hihi", "nextCursor": None},
            "error": None,
        }
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "The argument `text` is missing."),
        ({"text": ""}, "The argument `text` is wrong"),
        ({"text": "   "}, "The argument `text` is wrong"),
        ({"text": 5}, "The argument `text` is wrong"),
        ({"text": "hi", "times": "2"}, "The argument `times` is wrong"),
        ({"text": "hi", "times": 2.5}, "The argument `times` is wrong"),
        ({"text": "hi", "times": True}, "The argument `times` is wrong"),
        ({"text": "hi", "times": 0}, "The argument `times` is wrong"),
        ({"text": "hi", "tags": "a"}, "The argument `tags` is wrong"),
        ({"text": "hi", "tme": 2}, "`echo` has no argument `tme`."),
        ({"text": "hi", "time": 2}, "`echo` has no argument `time`. Did you mean `times`?"),
        ({"text": "x" * 1_000_000}, "The argument `text` is wrong"),
        ({"text": "hi", "task_id": ""}, "The argument `task_id` is wrong"),
        ({"text": "hi", "task_id": "a\nb"}, "The argument `task_id` is wrong"),
        ({"text": "hi", "task_id": "x" * 129}, "The argument `task_id` is wrong"),
        ({"text": "hi", "task_id": "a\u200bb"}, "The argument `task_id` is wrong: it is empty or holds characters"),
        ({"text": "hi", "either": ["a", ""]}, "The argument `either` is wrong: string should have at least 1"),
        ({"text": "hi", "either": ["a", "b", "c"]}, "The argument `either` is wrong: list should have at most 2"),
        ({"text": "hi", "either": 5}, "The argument `either` is wrong: input should be a valid"),
    ],
)
def test_a_wrong_argument_is_named_and_its_value_is_not_repeated(arguments: dict[str, Any], message: str) -> None:
    """The caller learns which argument and why; what was passed may be a secret."""
    answer = run(ECHO, Desk(), arguments)

    assert failed(answer)[:2] == ("failed", "invalid_arguments")
    assert answer.summary.startswith(message)
    assert answer.recommendations != []
    assert len(to_json(answer.model_dump())) < 1000


def test_a_value_that_fails_is_not_echoed() -> None:
    """pydantic's own message would repeat the input."""
    canary = f"canary-{secrets.token_hex(8)}"

    answer = run(ECHO, Desk(), {"text": [canary], "tags": {canary: canary}})

    assert canary not in to_json(answer.model_dump())


@pytest.mark.parametrize(
    "error",
    [Unavailable("Gone.", advice="Wait."), Conflict("Twice.", advice="Read it.", data={"duplicateOf": {"id": "L1"}})],
)
def test_a_failure_carries_code_message_advice_and_data(error: DaanError) -> None:
    """Whoever reads the failure knows what happened and what to do."""
    answer = run(ECHO, Desk(error=error), {"text": "hi"})

    assert failed(answer) == ("failed", error.code, error.message)
    assert answer.recommendations == [error.advice]
    assert answer.data == error.data
    assert answer.error is not None
    assert answer.error.retryable == error.retryable


def test_a_failure_is_no_larger_than_an_answer_may_be() -> None:
    """A workspace of a thousand databases has too many names to list them all in one piece of advice."""
    names = ", ".join(f"database-{number}" for number in range(2000))
    error = NotFound(f"Not among {names}.", advice=f"There are: {names}.", data={"candidates": [names]})

    answer = run(ECHO, Desk(error=error, max_answer_bytes=8192), {"text": "hi", "task_id": "T-9"})

    assert len(to_json(answer.model_dump(by_alias=True)).encode()) <= 8192
    assert (answer.task_id, answer.error and answer.error.code, answer.data) == ("T-9", "not_found", {})
    assert answer.summary.startswith("Not among database-0")
    assert answer.recommendations[0].startswith("There are: database-0")


def test_a_fault_of_ours_shows_nothing_but_the_task(caplog: pytest.LogCaptureFixture) -> None:
    """Details of an unexpected exception stand neither in the answer nor, its text, in the log."""
    canary = f"canary-{secrets.token_hex(8)}"
    with caplog.at_level(logging.DEBUG):
        answer = run(ECHO, Desk(error=RuntimeError(canary)), {"text": "hi", "task_id": "T-9"})

    assert failed(answer)[1] == "internal"
    assert canary not in to_json(answer.model_dump())
    assert canary not in caplog.text
    assert "T-9" in caplog.text
    assert "RuntimeError" in caplog.text


def test_no_known_secret_and_nothing_of_a_credentials_shape_leaves() -> None:
    """The last net stands behind every tool."""
    key = secrets.token_hex(32)
    token = "cfut_" + secrets.token_hex(24)

    answer = run(ECHO, Desk(secrets=Secrets([key])), {"text": f"{key} {token} {bytes.fromhex(key).hex().upper()}"})

    assert answer.data["said"].split() == ["***", "***", "***"]
    assert key not in to_json(answer.model_dump())
    assert token not in to_json(answer.model_dump())


def test_an_answer_that_cannot_be_cut_fails_rather_than_flood() -> None:
    """The byte limit counts UTF-8 bytes of the JSON."""
    answer = run(ECHO, Desk(max_answer_bytes=8192), {"text": "é" * 5000})

    assert failed(answer)[1] == "too_large"


def test_a_lone_surrogate_is_replaced_rather_than_breaking_the_line() -> None:
    """Text without UTF-8 form cannot reach a client whole."""
    desk = Desk(error=Conflict("Twice a\ud800b.", advice="Read it."))

    said = toolbox.run(ECHO, desk, {"text": "hi"})

    assert said.answer["summary"] == "Twice a\ufffdb."
    assert json.loads(said.text.encode()) == said.answer


def test_a_secret_that_breaks_the_json_is_a_fault_of_ours_and_no_leak() -> None:
    """What is masked may hold a quote or a bracket."""
    said = toolbox.run(ECHO, Desk(secrets=Secrets(['"component":"d1"'])), {"text": "hi", "task_id": "T-9"})

    assert said.answer["error"]["code"] == "internal"
    assert json.loads(said.text) == said.answer


def test_names_that_are_masked_alike_are_one_in_text_and_object() -> None:
    """A reader of JSON keeps one of two equal names; both forms show what he keeps."""
    error = Conflict("Twice.", advice="Read it.", data={"secret-a-1": 1, "secret-a-2": 2})
    desk = Desk(error=error, secrets=Secrets(["secret-a-1", "secret-a-2"]))

    said = toolbox.run(ECHO, desk, {"text": "hi"})

    assert said.answer["data"] == {"***": 2}
    assert said.text.count("***") == 1


def test_schemas_have_no_references_and_say_that_unknown_arguments_are_wrong() -> None:
    """A client that does not resolve references can still read them."""
    text = to_json([ECHO.input_schema, ECHO.output_schema])

    assert "$ref" not in text
    assert ECHO.input_schema["additionalProperties"] is False
    assert list(ECHO.input_schema["properties"]) == ["text", "times", "tags", "either", "task_id"]
    assert ECHO.input_schema["required"] == ["text"]
