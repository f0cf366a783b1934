"""Routes of a portal: made at the right moment, complete, and not locked by the middleware."""

import re
from collections.abc import Iterator

from mcp_daan.workers.astro.project import Project, Route
from mcp_daan.workers.finding import Finding, found, name
from mcp_daan.workers.seen import line_of

# Routes whose answer depends on the request, whatever their code looks like.
_OAUTH = re.compile(
    r"^/(?:api/)?(?:oauth|auth)(?:/[^/]+)*/(?:authorize|token|callback|register|revoke|introspect|userinfo)$"
)
_LIVE = re.compile(r"^/(?:api|oauth|auth|\.well-known)(?:/|$)")
_SERVER = re.compile(r"^/(?:api/)?(?:oauth|auth)/(authorize|token)$")
METADATA = ("/.well-known/oauth-authorization-server", "/.well-known/openid-configuration")
_MCP = re.compile(r"^/mcp$|^/sse$")
_RESOURCE = "/.well-known/oauth-protected-resource"
_DENIES = re.compile(r"\bredirect\s*\(|\bstatus\s*:\s*40[13]\b|\bResponse\.redirect\b")
# A gate that all pass but those that a list names: the list must name what is public.
_ALL_BUT = re.compile(
    r"!\s*(?![\w.]*(?:cookies|headers|session|locals|user)\b)[\w.]+\s*\.(?:some|includes|has|test|find)\s*\(|!\s*(?:\w+\.)*pathname\s*\.(?:startsWith|match|includes)\s*\("
    r"|!\s*is(?:Public|Open|Allowed|Anonymous)\w*\s*\(|pathname\s*!==?\s*[\"'`]"
)
_SCOPED = re.compile(r"pathname\b|\bisProtected|\bprotected\w*\s*\.", re.I)


def route_findings(project: Project) -> Iterator[Finding]:
    """What is wrong with the routes that the portal's job needs."""
    for route in project.routes:
        yield from _prerendered(project, route)
    yield from _missing(project)
    yield from _guarded(project)


def _prerendered(project: Project, route: Route) -> Iterator[Finding]:
    made_before = route.prerender if route.prerender is not None else project.output in ("static", "hybrid")
    if not made_before or not _LIVE.match(route.path) or not (_OAUTH.match(route.path) or route.at_request):
        return
    why = (
        "`prerender` is true" if route.prerender else "`output` is static, which prerenders what does not say otherwise"
    )
    yield found(
        "astro_prerendered",
        project.seen.shown(route.file),
        f"{name(route.path)} needs the request, and {why}: it is made once at build time, and answers the same to everyone"
        " (POST is not answered at all).",
        "Write in this file: export const prerender = false;",
        line=route.prerender_line or 1,
    )


def _missing(project: Project) -> Iterator[Finding]:
    """Discovery that clients of an OAuth server look for."""
    paths = {route.path for route in project.routes}
    server = {match[1]: route for route in project.routes if (match := _SERVER.match(route.path))}
    first = next(iter(server.values()), None)
    if first is None:
        return
    shown = project.seen.shown(first.file)
    for part in ("authorize", "token"):
        if part not in server and not _named(project, f"/{part}"):
            path = first.path.rsplit("/", 1)[0] + f"/{part}"
            yield found(
                "astro_route_missing",
                shown,
                f"There is {name(first.path)} and no {name(path)}: a client cannot finish the flow.",
                f"Add a route for {name(path)}.",
                line=1,
            )
    if not paths & set(METADATA) and not any(_named(project, each) for each in METADATA):
        yield found(
            "astro_route_missing",
            shown,
            f"There is {name(first.path)}, and nothing answers {name(METADATA[0])}: clients, MCP's among them, cannot find the"
            " endpoints.",
            "Add src/pages/.well-known/oauth-authorization-server.ts with the metadata of RFC 8414, and"
            " `export const prerender = false;`.",
            line=1,
        )
    mcp = any(_MCP.match(path) for path in paths)
    if mcp and not any(path.startswith(_RESOURCE) for path in paths) and not _named(project, _RESOURCE):
        yield found(
            "astro_route_missing",
            shown,
            f"There is an MCP endpoint, and nothing answers {name(_RESOURCE)}: clients do not learn which server gives them"
            " tokens.",
            "Add src/pages/.well-known/oauth-protected-resource.ts with the metadata of RFC 9728.",
            line=1,
        )


def _named(project: Project, path: str) -> bool:
    """Whether something else answers *path*: a catch-all, a public file, the worker's or a library's own code."""
    seen = project.seen
    if any("[..." in route.path and path.startswith(route.path.split("[...")[0]) for route in project.routes):
        return True
    if (seen.config.folder / "public" / path.lstrip("/")).is_file():
        return True
    code = [file for file in seen.sources if not file.is_relative_to(project.source / "pages")]
    return any(path in seen.code(file) or "workers-oauth-provider" in seen.code(file) for file in code)


def _guarded(project: Project) -> Iterator[Finding]:
    """A gate before everything, discovery included."""
    public = [route for route in project.routes if route.path.startswith("/.well-known/") or _OAUTH.match(route.path)]
    middleware = project.middleware
    if not public or middleware is None:
        return
    path, code = middleware
    denies = _DENIES.search(code)
    if denies is None or ".well-known" in code or "well_known" in code or "wellKnown" in code:
        return
    discovery = next((route for route in public if route.path.startswith("/.well-known/")), None)
    if discovery is None or (_SCOPED.search(code) and not _ALL_BUT.search(code)):
        return
    yield found(
        "astro_middleware_guards",
        project.seen.shown(path),
        f"The middleware turns away who is not signed in, and does not let {name(discovery.path)} pass: clients that are to"
        " find out how to sign in are sent away.",
        'Let it pass first: if (context.url.pathname.startsWith("/.well-known/")) return next();',
        line=line_of(code, denies.start()),
    )
