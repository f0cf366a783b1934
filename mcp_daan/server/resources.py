"""Resources over MCP: documents, database schemas, the state of everything, the Output Protocol's own schema."""

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import quote, unquote

import anyio
import mcp_types as types
from mcp.shared.exceptions import MCPError

from mcp_daan.app import App
from mcp_daan.errors import DaanError, NotFound
from mcp_daan.paging import page
from mcp_daan.protocol import Answer, to_json
from mcp_daan.server.callers import Context, offered
from mcp_daan.server.offer import Offer
from mcp_daan.server.skills import MIME_TYPE, SCHEME, skills
from mcp_daan.toolbox import run
from mcp_daan.tools import all_tools

PROTOCOL = "daan://output-protocol"
STATUS = "daan://status"
DOCUMENT = "knowledge://"
DATABASE = "d1://"
PAGE = 200
TEMPLATES = [
    types.ResourceTemplate(
        name="document",
        title="A document of the knowledge base",
        uri_template="knowledge://backend/{path}",
        description="Markdown, whole. Search first with `knowledge_search`.",
        mime_type="text/markdown",
    ),
    types.ResourceTemplate(
        name="schema",
        title="A database's schema",
        uri_template="d1://{database}/schema",
        description="Tables, columns and indexes, as `d1_schema` gives them.",
        mime_type="application/json",
    ),
]


def resources(app: App) -> Iterator[types.Resource]:
    """What there is now, in a fixed order."""
    yield types.Resource(
        uri=PROTOCOL, name="output-protocol", title="The Output Protocol as JSON Schema", mime_type="application/json"
    )
    yield types.Resource(uri=STATUS, name="status", title="The state of everything", mime_type="application/json")
    for database in app.databases:
        name = f"remote:{database.name}" if database.location == "remote" else database.name
        uri = f"{DATABASE}{quote(name, safe=':')}/schema"
        yield types.Resource(uri=uri, name=f"{name}/schema", title=f"Schema of {name}", mime_type="application/json")
    for path in app.knowledge.files():
        relative = app.knowledge.relative(path)
        yield types.Resource(
            uri=f"{DOCUMENT}{quote(relative)}", name=relative, mime_type="text/markdown", size=path.stat().st_size
        )


async def list_resources(
    app: App, offer: Offer, context: Context, params: types.PaginatedRequestParams | None
) -> types.ListResourcesResult:
    """The resources that the caller may see, in pages."""
    cursor = params.cursor if params else None
    shown = offered(offer, context)

    def work() -> types.ListResourcesResult:
        with _protocol_errors():
            each = [resource for resource in resources(app.for_call()) if shown.shows(resource.uri)]
            each += [skill.resource for skill in skills(shown)]
            part = page(range(len(each)), limit=PAGE, cursor=cursor, max_bytes=1 << 20)
            return types.ListResourcesResult(
                resources=[each[index] for index in part.items], next_cursor=part.next_cursor
            )

    return await anyio.to_thread.run_sync(work)


async def list_templates(
    offer: Offer, context: Context, params: types.PaginatedRequestParams | None
) -> types.ListResourceTemplatesResult:
    """The forms of the addresses."""
    shown = offered(offer, context)
    return types.ListResourceTemplatesResult(
        resource_templates=[each for each in TEMPLATES if shown.shows(each.uri_template)]
    )


async def read_resource(
    app: App, offer: Offer, context: Context, params: types.ReadResourceRequestParams
) -> types.ReadResourceResult:
    """One resource, without secrets."""
    shown = offered(offer, context)

    def work() -> types.ReadResourceResult:
        with _protocol_errors(uri=params.uri):
            opened = app.for_call()
            mime_type, text = _contents(opened, shown, params.uri)
            content = types.TextResourceContents(uri=params.uri, mime_type=mime_type, text=opened.redact(text))
            return types.ReadResourceResult(contents=[content])

    return await anyio.to_thread.run_sync(work)


def _contents(app: App, shown: Offer, uri: str) -> tuple[str, str]:
    if not shown.shows(uri):
        raise _absent()
    for skill in skills(shown) if uri.startswith(SCHEME) else ():
        if skill.uri == uri:
            return MIME_TYPE, skill.text
    if uri == PROTOCOL:
        return "application/json", to_json(Answer.model_json_schema(by_alias=True))
    if uri.startswith(DOCUMENT):
        from mcp_daan.knowledge.markdown import read_text

        return "text/markdown", read_text(app.knowledge.resolve(unquote(uri.removeprefix(DOCUMENT))))
    if uri == STATUS:
        return "application/json", _data(app, "infra_status", {})
    if uri.startswith(DATABASE) and uri.endswith("/schema"):
        name = unquote(uri.removeprefix(DATABASE).removesuffix("/schema"))
        return "application/json", _data(app, "d1_schema", {"database": name, "detail": "full"})
    raise _absent()


def _data(app: App, name: str, arguments: dict[str, str]) -> str:
    """What the tool called *name* answers, without the protocol around it."""
    said = run(all_tools()[name], app, arguments)
    if said.failed:
        raise NotFound(said.answer["error"]["message"], advice=said.answer["recommendations"][0])
    return to_json(said.answer["data"])


def _absent() -> NotFound:
    return NotFound(
        "There is no such resource.", advice="`resources/list` and `resources/templates/list` name what there is."
    )


@contextmanager
def _protocol_errors(**data: str) -> Iterator[None]:
    try:
        yield
    except DaanError as error:
        raise MCPError(types.INVALID_PARAMS, f"{error.message} {error.advice}", data or None) from None
