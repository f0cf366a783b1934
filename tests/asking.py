"""Ask a tool, and hold whatever it says against the protocol: every answer that any test sees is looked at."""

import json
from collections.abc import Mapping
from functools import cache
from typing import Any

import jsonschema

from mcp_daan import toolbox
from mcp_daan.protocol import Answer
from mcp_daan.toolbox import Host, Tool


def run(called: Tool, app: Host, arguments: Mapping[str, Any]) -> Answer:
    """The answer of `toolbox.run`, whose text and object are the same, and of the tool's own schema."""
    said = toolbox.run(called, app, arguments)

    assert json.loads(said.text) == said.answer
    _judge(called).validate(said.answer)
    answer = Answer.model_validate_json(said.text)
    assert answer.model_dump(by_alias=True) == said.answer
    assert said.failed == (answer.status == "failed") == (answer.error is not None)
    return answer


@cache
def _judge(called: Tool) -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(called.output_schema)
