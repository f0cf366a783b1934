"""The conformance suite's tools, resources and prompts, put into a server of ours beside what it offers itself."""

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import anyio
import mcp_types as types
from mcp.server.context import HandlerResult
from mcp.server.lowlevel import Server
from mcp.server.request_state import RequestStateBoundary, RequestStateSecurity
from mcp.shared.exceptions import MCPError
from mcp.shared.subscriptions import PromptsListChanged, ToolsListChanged

from mcp_daan.server.callers import Caller, Context
from mcp_daan.server.subscriptions import Subscriptions
from tests.conformance.content import (
    CONTENTS,
    DEFAULTS,
    ENUMS,
    IMAGE,
    NAME,
    PLAIN,
    ROOTS,
    SCHEMAS,
    asked,
    embedded,
    form,
    message,
    sampled,
    text,
)

Call = Callable[[Context, Any], Awaitable[HandlerResult]]


def told(words: str) -> dict[str, Any]:
    return {"content": [text(words)], "resultType": "complete"}


def wanted(requests: dict[str, Any], state: str | None = None) -> dict[str, Any]:
    """The answer that more input is needed."""
    more = {} if state is None else {"requestState": state}
    return {"resultType": "input_required", "inputRequests": requests, **more}


def responses(params: Any) -> Mapping[str, Any]:
    given = params.input_responses or {}
    return {key: value.model_dump(by_alias=True, mode="json") for key, value in given.items()}


async def with_logging(context: Context, params: Any) -> HandlerResult:
    for words in ("Tool execution started", "Tool processing data", "Tool execution completed"):
        await context.session.send_log_message("info", words, related_request_id=context.request_id)
        await anyio.sleep(0.05)
    return told("Logged.")


async def with_progress(context: Context, params: Any) -> HandlerResult:
    for done in (0, 50, 100):
        await context.session.report_progress(done, 100, f"Completed step {done} of 100")
        await anyio.sleep(0.05)
    return told("Done.")


async def failing(context: Context, params: Any) -> HandlerResult:
    return {**told("This tool intentionally returns an error for testing"), "isError": True}


async def sampling(context: Context, params: Any) -> HandlerResult:
    question = types.SamplingMessage(role="user", content=types.TextContent(text=params.arguments["prompt"]))
    answer = await context.session.create_message([question], max_tokens=100, related_request_id=context.request_id)
    return told(f"LLM response: {answer.content.text}")


def eliciting(words: str | None, schema: dict[str, Any]) -> Call:
    async def elicit(context: Context, params: Any) -> HandlerResult:
        question = words or params.arguments["message"]
        answer = await context.session.elicit_form(question, schema, context.request_id)
        return told(f"Elicitation completed: action={answer.action}, content={json.dumps(answer.content)}")

    return elicit


async def reconnecting(context: Context, params: Any) -> HandlerResult:
    assert context.close_sse_stream is not None
    await context.close_sse_stream()
    await anyio.sleep(0.2)
    return told("Reconnected.")


async def streaming(context: Context, params: Any) -> HandlerResult:
    """Ask for input at the end of a stream, as there is no asking on it."""
    await context.session.report_progress(1, 2, "Before the question")
    if params.input_responses:
        return told("Answered.")
    return wanted({"user_name": asked("What is your name?", NAME)})


async def missing_capability(context: Context, params: Any) -> HandlerResult:
    required = types.ClientCapabilities(sampling=types.SamplingCapability())
    if not context.session.check_client_capability(required):
        data = {"requiredCapabilities": {"sampling": {}}}
        raise MCPError(types.MISSING_REQUIRED_CLIENT_CAPABILITY, "Sampling is needed.", data)
    return told("Sampling can be done.")


def requiring(requests: dict[str, Any], state: str | None, finish: Callable[[Mapping[str, Any]], str]) -> Call:
    """A tool that asks for *requests* until they are answered."""

    async def require(context: Context, params: Any) -> HandlerResult:
        given = responses(params)
        if not requests.keys() <= given.keys() or (state is not None and params.request_state != state):
            return wanted(requests, state)
        return told(finish(given))

    return require


async def rounds(context: Context, params: Any) -> HandlerResult:
    if params.request_state is None:
        return wanted({"step1": asked("Step 1: What is your name?", NAME)}, "round-1")
    if params.request_state == "round-1":
        colour = form(color={"type": "string"})
        return wanted({"step2": asked("Step 2: What is your favorite color?", colour)}, "round-2")
    return told("All steps are done.")


async def fitting(context: Context, params: Any) -> HandlerResult:
    """Ask only for what the client says that it can do."""
    declared = context.meta or {}
    can = declared.get("io.modelcontextprotocol/clientCapabilities", {})
    requests = {"sampled": sampled("Say hello.", 50)} if "sampling" in can else {}
    requests |= {"asked": asked("What is your name?", NAME)} if "elicitation" in can else {}
    return told("Nothing can be asked.") if not requests or params.input_responses else wanted(requests)


def name_of(given: Mapping[str, Any]) -> str:
    return f"Hello, {(given['user_name'].get('content') or {}).get('name')}!"


CONFIRM = {"confirm": asked("Please confirm", form(ok={"type": "boolean"}))}
CALLS: dict[str, Call] = {
    "test_tool_with_logging": with_logging,
    "test_logging_tool": with_logging,
    "test_streaming_elicitation": streaming,
    "test_tool_with_progress": with_progress,
    "test_error_handling": failing,
    "test_sampling": sampling,
    "test_elicitation": eliciting(None, form(username={"type": "string"}, email={"type": "string"})),
    "test_elicitation_sep1034_defaults": eliciting("Please look through the defaults.", DEFAULTS),
    "test_elicitation_sep1330_enums": eliciting("Please choose.", ENUMS),
    "test_reconnection": reconnecting,
    "test_missing_capability": missing_capability,
    "test_input_required_result_elicitation": requiring(
        {"user_name": asked("What is your name?", NAME)}, None, name_of
    ),
    "test_input_required_result_sampling": requiring(
        {"capital_question": sampled("What is the capital of France?", 100)}, None, json.dumps
    ),
    "test_input_required_result_list_roots": requiring({"client_roots": ROOTS}, None, json.dumps),
    "test_input_required_result_request_state": requiring(CONFIRM, "confirming", lambda given: "state-ok"),
    "test_input_required_result_tampered_state": requiring(CONFIRM, "confirming", lambda given: "state-ok"),
    "test_input_required_result_multiple_inputs": requiring(
        {
            "user_name": asked("What is your name?", NAME),
            "greeting": sampled("Generate a greeting", 50),
            "client_roots": ROOTS,
        },
        "greeting",
        name_of,
    ),
    "test_input_required_result_multi_round": rounds,
    "test_input_required_result_capabilities": fitting,
}


async def plain(context: Context, params: Any) -> HandlerResult:
    return {"content": PLAIN[params.name], "resultType": "complete"}


async def echoed(context: Context, params: Any) -> HandlerResult:
    return told(json.dumps(params.arguments))


def add_fixtures(server: Server[Caller], subscriptions: Subscriptions) -> None:
    """Put the suite's tools, resources and prompts into *server*, and what it needs of the protocol's edges."""

    async def changed(context: Context, params: Any) -> HandlerResult:
        event = ToolsListChanged() if params.name == "test_trigger_tool_change" else PromptsListChanged()
        await subscriptions.tell(event)
        return told("Changed.")

    calls = {**dict.fromkeys(PLAIN, plain), **dict.fromkeys(("test_x_mcp_header", "json_schema_2020_12_tool"), echoed)}
    calls |= CALLS | dict.fromkeys(("test_trigger_tool_change", "test_trigger_prompt_change"), changed)
    empty = {"type": "object", "properties": {}}
    tools = [
        types.Tool(name=name, description="A tool of the suite's.", input_schema=SCHEMAS.get(name, empty))
        for name in calls
    ]
    add_to(server, "tools/list", lambda result: result.tools.extend(tools))
    instead(server, "tools/call", lambda params: calls.get(params.name))
    server.get_tool_input_schema = SCHEMAS.get
    add_resources(server)
    add_prompts(server)
    server.middleware.append(RequestStateBoundary(RequestStateSecurity(keys=["k" * 32]), default_audience="daan"))

    async def level(context: Context, params: types.SetLevelRequestParams) -> types.EmptyResult:
        return types.EmptyResult()

    server.add_request_handler("logging/setLevel", types.SetLevelRequestParams, level)


def add_resources(server: Server[Caller]) -> None:
    listed = [types.Resource(uri=uri, name=uri, mime_type=each["mimeType"]) for uri, each in CONTENTS.items()]
    template = types.ResourceTemplate(uri_template="test://template/{id}/data", name="template")
    add_to(server, "resources/list", lambda result: result.resources.extend(listed))
    add_to(server, "resources/templates/list", lambda result: result.resource_templates.append(template))

    async def read(context: Context, params: Any) -> HandlerResult:
        uri, content = params.uri, CONTENTS.get(params.uri)
        if content is None:
            number = uri.removeprefix("test://template/").removesuffix("/data")
            told = {"id": number, "templateTest": True, "data": f"Data for ID: {number}"}
            content = {"mimeType": "application/json", "text": json.dumps(told)}
        return {"contents": [{"uri": uri, **content}], "resultType": "complete", "ttlMs": 0, "cacheScope": "private"}

    instead(
        server,
        "resources/read",
        lambda params: read if params.uri in CONTENTS or params.uri.startswith("test://template/") else None,
    )


def add_prompts(server: Server[Caller]) -> None:
    arguments = {
        "test_simple_prompt": [],
        "test_prompt_with_arguments": ["arg1", "arg2"],
        "test_prompt_with_embedded_resource": ["resourceUri"],
        "test_prompt_with_image": [],
        "test_input_required_result_prompt": [],
    }
    prompts = [
        types.Prompt(
            name=name,
            description="A prompt of the suite's.",
            arguments=[types.PromptArgument(name=each, required=True) for each in each_of],
        )
        for name, each_of in arguments.items()
    ]
    add_to(server, "prompts/list", lambda result: result.prompts.extend(prompts))

    async def get(context: Context, params: Any) -> HandlerResult:
        given = params.arguments or {}
        if params.name == "test_input_required_result_prompt" and not params.input_responses:
            question = asked("What context should the prompt use?", form(context={"type": "string"}))
            return wanted({"user_context": question})
        contents = {
            "test_simple_prompt": [text("This is a simple prompt for testing.")],
            "test_prompt_with_arguments": [
                text(f"Prompt with arguments: arg1='{given.get('arg1')}', arg2='{given.get('arg2')}'")
            ],
            "test_prompt_with_embedded_resource": [
                embedded(given.get("resourceUri", ""), "text/plain", "Embedded resource content for testing."),
                text("Please process the embedded resource above."),
            ],
            "test_prompt_with_image": [IMAGE, text("Please analyze the image above.")],
            "test_input_required_result_prompt": [text("With that context.")],
        }
        return {"messages": [message(each) for each in contents[params.name]], "resultType": "complete"}

    instead(server, "prompts/get", lambda params: get if params.name in arguments else None)


def add_to(server: Server[Caller], method: str, add: Callable[[Any], None]) -> None:
    """Let the list of *method* hold more than ours."""
    entry = server.get_request_handler(method)
    assert entry is not None
    ours = entry.handler

    async def more(context: Context, params: Any) -> HandlerResult:
        result = await ours(context, params)
        add(result)
        return result

    server.add_request_handler(method, entry.params_type, more)


def instead(server: Server[Caller], method: str, chosen: Callable[[Any], Call | None]) -> None:
    """Let *chosen* answer *method* where it wants to, and ours else."""
    entry = server.get_request_handler(method)
    assert entry is not None
    ours = entry.handler

    async def answer(context: Context, params: Any) -> HandlerResult:
        return await (chosen(params) or ours)(context, params)

    server.add_request_handler(method, entry.params_type, answer)
