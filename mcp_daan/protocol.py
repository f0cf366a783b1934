"""The Output Protocol: one JSON object for every answer."""

import json
import re
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticSerializationError, from_json
from pydantic_core import to_json as json_of

from mcp_daan.cached import cached_property

Component = Literal["d1", "workers", "oauth", "astro"]
Severity = Literal["info", "warning", "error"]
SAFE_INTEGER = 2**53 - 1
_WRITER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
_SURROGATE = re.compile("[\ud800-\udfff]")


class Model(BaseModel):
    """A value on the wire: snake_case here, camelCase there, no unknown keys."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid")

    def wire(self) -> dict[str, Any]:
        """The value as it travels."""
        return self.model_dump(mode="json", by_alias=True)

    def as_json(self) -> str:
        """The same as compact JSON, lone surrogates and all."""
        return written(self.wire())


P = TypeVar("P", bound=Model)


@dataclass
class Reply(Generic[P]):
    """What a tool gives back: one sentence in the server's own words, and the typed payload.

    `partial` says that the answer has a stated hole; `component` overrides the tool's own.
    """

    summary: str
    data: P
    artifacts: list[str] = field(default_factory=list)
    recommendations: list[str] = field(default_factory=list)
    lessons_added: int = 0
    partial: bool = False
    component: Component | None = None


class Problem(Model):
    """Why a call failed."""

    code: Literal[
        "invalid_arguments",
        "not_found",
        "refused",
        "unavailable",
        "rejected_credentials",
        "too_slow",
        "too_large",
        "conflict",
        "internal",
    ]
    message: str
    retryable: bool


# The form that `toolbox` writes by hand; the tests hold every answer against it.
class Answer(Model):
    """The Output Protocol's object; the first seven keys never change type."""

    task_id: str
    status: Literal["complete", "partial", "failed"]
    summary: str
    artifacts: list[str]
    component: Component | None
    lessons_added: int
    recommendations: list[str]
    data: dict[str, Any]
    error: Problem | None


@dataclass(frozen=True)
class Said:
    """What a call answers, written once: the Output Protocol object as its final text, and whether the call failed."""

    text: str
    failed: bool

    @cached_property
    def answer(self) -> dict[str, Any]:
        """The object that the text reads as."""
        read: dict[str, Any] = from_json(self.text)
        return read


def to_json(value: object) -> str:
    """Compact JSON; a lone surrogate becomes U+FFFD, since it has no UTF-8 form."""
    return without_surrogates(written(value))


def written(value: object) -> str:
    """Compact JSON as `value` has it, lone surrogates and all."""
    try:
        return json_of(value).decode()  # by pydantic's own writer, some five times sooner
    except PydanticSerializationError:  # a lone surrogate
        return _WRITER.encode(value)


def without_surrogates(text: str) -> str:
    """*text* with U+FFFD for what has no UTF-8 form."""
    return text if encodable(text) else _SURROGATE.sub("\ufffd", text)


def encodable(text: str) -> bool:
    """Whether *text* has a UTF-8 form."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def json_bytes(value: object) -> int:
    """How many bytes *value* takes as compact JSON in UTF-8."""
    return len(to_json(value).encode())
