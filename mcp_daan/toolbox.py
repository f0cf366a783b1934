"""What a tool is, how tools are found, how one call is run."""

import difflib
import inspect
import logging
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType, ModuleType
from typing import Annotated, Any, Protocol, TypeVar, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, create_model

from mcp_daan.cached import cached_property
from mcp_daan.errors import DaanError, InternalError, InvalidArguments, TooLarge
from mcp_daan.protocol import Answer, Component, Model, Reply, Said, to_json, without_surrogates, written
from mcp_daan.scrub import Secrets

log = logging.getLogger("mcp_daan")


def _all_printable(text: str | None) -> str | None:
    # Not a pattern in the schema: it would cost every tool thirty tokens in the list that each client reads.
    if text is not None and not text.isprintable():
        raise ValueError
    return text


TaskId = Annotated[
    str | None,
    Field(min_length=1, max_length=128, description="Your id for this task; the answer repeats it."),
    AfterValidator(_all_printable),
]
Text = Annotated[str, Field(min_length=1, max_length=20_000, pattern=r"\S")]
Limit = Annotated[int, Field(ge=1, le=1000, description="How many at most.")]
Cursor = Annotated[
    str | None, Field(min_length=1, max_length=2000, description="`data.nextCursor` of the answer before.")
]
Progress = Callable[[float, float | None, str], None]
F = TypeVar("F", bound=Callable[..., Reply[Any]])
# What is left of the words of a failure that is larger than an answer may be; the least answer holds it whatever they are.
FAILURE_CHARACTERS = 400
# How many lines of a fault's way are logged: one that called itself without end passed a thousand.
PLACES = 30


class Host(Protocol):
    """What running a call needs of the app."""

    @property
    def secrets(self) -> Secrets: ...

    @property
    def max_answer_bytes(self) -> int: ...

    def redact(self, text: str) -> str: ...


@dataclass(frozen=True)
class Tool:
    """A function that agents may call."""

    function: Callable[..., Reply[Any]]
    title: str
    component: Component | None
    reads_only: bool

    @property
    def name(self) -> str:
        """The function's name is the tool's."""
        return self.function.__name__

    @cached_property
    def description(self) -> str:
        """The function's docstring is what an agent reads."""
        return inspect.cleandoc(self.function.__doc__ or "")

    @cached_property
    def arguments(self) -> type[BaseModel]:
        """The model of the arguments, made from the function's signature after the app; unknown ones are forbidden."""
        signature = inspect.signature(self.function, eval_str=True)
        fields: dict[str, Any] = {
            name: (parameter.annotation, ... if parameter.default is parameter.empty else parameter.default)
            for name, parameter in list(signature.parameters.items())[1:]
        }
        return create_model(
            self.name, __config__=ConfigDict(extra="forbid", strict=True), task_id=(TaskId, None), **fields
        )

    @cached_property
    def payload(self) -> type[Model]:
        """The model of `data`, from the return annotation `Reply[...]`."""
        payload: type[Model] = get_args(inspect.signature(self.function, eval_str=True).return_annotation)[0]
        return payload

    @cached_property
    def input_schema(self) -> dict[str, Any]:
        """The JSON Schema of the arguments, without references, titles or nulls."""
        schema = _plain(self.arguments.model_json_schema(), nulls=False)
        task_id = schema["properties"].pop("task_id")
        schema["properties"]["task_id"] = task_id
        return schema

    @cached_property
    def output_schema(self) -> dict[str, Any]:
        """The JSON Schema of the answer; a failure leaves `data` empty, so nothing in it is required."""
        schema = _plain(Answer.model_json_schema(by_alias=True, mode="serialization"))
        data = _plain(self.payload.model_json_schema(by_alias=True, mode="serialization"))
        data.pop("required", None)
        data.pop("additionalProperties", None)
        schema["properties"]["data"] = data
        return schema


def tool(*, title: str, component: Component | None = None, reads_only: bool = True) -> Callable[[F], F]:
    """Mark a function as a tool; `tools_in` finds it."""

    def mark(function: F) -> F:
        function.__daan_tool__ = Tool(function, title, component, reads_only)  # type: ignore[attr-defined]
        return function

    return mark


def tools_in(*modules: ModuleType) -> dict[str, Tool]:
    """The tools that *modules* define, by name, in order of definition."""
    found = (
        value.__daan_tool__ for module in modules for value in vars(module).values() if hasattr(value, "__daan_tool__")
    )
    return {each.name: each for each in found}


def run(called: Tool, app: Host, arguments: Mapping[str, Any]) -> Said:
    """Run one call; whatever happens, it says an Output Protocol object without secrets."""
    task_id = _task_id(arguments)
    try:
        return _run(called, app, arguments, task_id)
    except Exception as error:  # noqa: BLE001 - the one place where a fault of ours becomes an answer
        log.error("%s failed, task %s: %s", called.name, task_id, where(error))
        fault = InternalError(
            f"The server failed in `{called.name}`.",
            advice=f"Look for task {task_id} in the server's log (stderr) and report it.",
        )
        # Every word of it is ours: it needs no cleaning, which may be what failed.
        return Said(to_json(failure(fault, task_id, called.component)), failed=True)


def _run(called: Tool, app: Host, arguments: Mapping[str, Any], task_id: str) -> Said:
    most = app.max_answer_bytes
    try:
        said = _said(app, _answer(called, app, arguments, task_id), failed=False)
        if _larger(said, most):
            raise TooLarge(
                f"The answer is larger than {most} bytes and cannot be cut further.",
                advice="Ask for less of it, or raise `max_answer_bytes` under `[limits]` in daan.toml.",
            )
    except DaanError as error:
        said = _said(app, written(failure(error, task_id, called.component)), failed=True)
        if _larger(said, most):
            short = type(error)(_shortened(error.message), advice=_shortened(error.advice))
            said = _said(app, written(failure(short, task_id, called.component)), failed=True)
    return said


def _said(app: Host, text: str, *, failed: bool) -> Said:
    clean = app.redact(without_surrogates(text))
    if clean == text:
        return Said(text, failed)
    # What was masked may have been half a key or a bracket, and what had no UTF-8 form stands in the object still.
    read = Answer.model_validate_json(clean).model_dump(by_alias=True)
    return Said(to_json(read), failed)


def _larger(said: Said, most: int) -> bool:
    return len(said.text.encode()) > most


def failure(error: DaanError, task_id: str, component: Component | None = None) -> dict[str, Any]:
    """The answer that says why a call failed and what to do next."""
    return {
        "taskId": task_id,
        "status": "failed",
        "summary": error.message,
        "artifacts": [],
        "component": component,
        "lessonsAdded": 0,
        "recommendations": [error.advice],
        "data": error.data,
        "error": {"code": error.code, "message": error.message, "retryable": error.retryable},
    }


def refusal(error: DaanError, arguments: Mapping[str, Any] = MappingProxyType({})) -> Said:
    """What is said to a call that reached no tool."""
    return Said(to_json(failure(error, _task_id(arguments))), failed=True)


def _answer(called: Tool, app: Host, arguments: Mapping[str, Any], task_id: str) -> str:
    reply = called.function(app, **_validated(called, arguments))
    told = {
        "taskId": task_id,
        "status": "partial" if reply.partial else "complete",
        "summary": reply.summary,
        "artifacts": reply.artifacts,
        "component": reply.component or called.component,
        "lessonsAdded": reply.lessons_added,
        "recommendations": reply.recommendations,
    }
    return f'{written(told)[:-1]},"data":{reply.data.as_json()},"error":null}}'


def _validated(called: Tool, arguments: Mapping[str, Any]) -> dict[str, Any]:
    try:
        given = vars(called.arguments.model_validate(dict(arguments)))
    except ValidationError as error:
        # pydantic's own text repeats the input, which may be a secret: it is written anew.
        raise _explained(called, error) from None
    return {name: value for name, value in given.items() if name != "task_id"}


def _explained(called: Tool, error: ValidationError) -> InvalidArguments:
    problems = error.errors(include_input=False, include_url=False)
    first = next((each for each in problems if each["type"] == "extra_forbidden"), problems[0])
    # Of an argument that may be this or that, what is wrong with the kind that was given says most.
    same = (each for each in problems if each["loc"][:1] == first["loc"][:1] and not each["type"].endswith("_type"))
    first = next(same, first)
    name = _printable(str(first["loc"][0])) if first["loc"] else "arguments"
    known = list(called.arguments.model_fields)
    if first["type"] == "extra_forbidden":
        close = difflib.get_close_matches(name, known, 1)
        meant = f" Did you mean `{close[0]}`?" if close else ""
        return InvalidArguments(
            f"`{called.name}` has no argument `{name}`.{meant}", advice=f"Its arguments are: {', '.join(known)}."
        )
    if first["type"] == "missing":
        return InvalidArguments(
            f"The argument `{name}` is missing.", advice=f"Call `{called.name}` again with `{name}`."
        )
    unfit = "It is empty or holds characters that are not allowed"
    wanted = {"string_pattern_mismatch": unfit, "value_error": unfit}.get(first["type"], first["msg"])
    return InvalidArguments(
        f"The argument `{name}` is wrong: {wanted[0].lower()}{wanted[1:]}.",
        advice=f"Correct `{name}` and call `{called.name}` again.",
    )


def _task_id(arguments: Mapping[str, Any]) -> str:
    given = arguments.get("task_id")
    if isinstance(given, str) and 0 < len(given) <= 128 and given.isprintable():
        return given
    return f"T-{secrets.token_hex(6)}"


def _printable(text: str) -> str:
    return "".join(each if each.isprintable() else "?" for each in text)[:64]


def _shortened(text: str) -> str:
    return text if len(text) <= FAILURE_CHARACTERS else f"{text[:FAILURE_CHARACTERS]}…"


def where(error: BaseException) -> str:
    """The kind of *error* and the lines it passed: never its text, which may hold a value."""
    lines, trace = [], error.__traceback__
    while trace is not None:
        lines.append(f"{trace.tb_frame.f_code.co_qualname}:{trace.tb_lineno}")
        trace = trace.tb_next
    return f"{type(error).__name__} at {' > '.join(lines[-PLACES:])}"


def _plain(schema: dict[str, Any], *, nulls: bool = True) -> dict[str, Any]:
    definitions = schema.get("$defs", {})

    def walk(node: Any, *, names: bool = False) -> Any:
        if isinstance(node, list):
            return [walk(each) for each in node]
        if not isinstance(node, dict):
            return node
        if "$ref" in node:
            rest = {key: value for key, value in node.items() if key != "$ref"}
            return walk({**definitions[node["$ref"].rsplit("/", 1)[1]], **rest})
        kept = {
            key: walk(value, names=key == "properties")
            for key, value in node.items()
            if names or key not in ("title", "$defs")
        }
        if not nulls and not names:
            if kept.get("default", 0) is None:
                del kept["default"]
            branches = [each for each in kept.get("anyOf", []) if each != {"type": "null"}]
            if len(branches) == 1:
                del kept["anyOf"]
                kept = {**branches[0], **kept}
        return kept

    plain: dict[str, Any] = walk(schema)
    return plain
