"""The web application: /mcp behind the gate, and what probes and Prometheus ask."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio
from mcp.server.lowlevel import Server
from mcp.server.streamable_http_manager import StreamableHTTPASGIApp, StreamableHTTPSessionManager
from starlette.applications import Starlette
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mcp_daan.app import App
from mcp_daan.server.audit import audit_to
from mcp_daan.server.briefs import PROMPTS
from mcp_daan.server.build import make_server
from mcp_daan.server.callers import Caller
from mcp_daan.server.http.auth import Authentication
from mcp_daan.server.http.challenge import WELL_KNOWN, Challenge
from mcp_daan.server.http.direct import Direct
from mcp_daan.server.http.gate import Gate
from mcp_daan.server.http.life import every_second, told_of_the_end
from mcp_daan.server.http.limits import Limits
from mcp_daan.server.http.metrics import Metrics
from mcp_daan.server.http.places import PATH, Place, pages, security
from mcp_daan.server.http.probes import Probes
from mcp_daan.server.offer import SCOPES, Offer, tool_behind
from mcp_daan.server.recording import recording
from mcp_daan.server.records import Record, known_name
from mcp_daan.server.subscriptions import Subscriptions
from mcp_daan.server.telemetry import export_spans, exporting
from mcp_daan.tools import scope_of

# Prometheus' own name for its text.
TEXT = "text/plain; version=0.0.4; charset=utf-8"


@dataclass
class Web:
    """One process's server over HTTP.

    `sessions` keeps state between requests, and `fit` adds to the server: both are for the conformance suite.
    """

    app: App
    offer: Offer
    place: Place
    environment: Mapping[str, str]
    metrics_folder: Path | None = None
    parent: int | None = None
    sessions: bool = False
    fit: Callable[[Server[Caller]], None] = lambda server: None
    _open: list[Subscriptions] = field(default_factory=list)

    def application(self) -> ASGIApp:
        """What uvicorn runs. Raises DaanError when the settings do not fit together."""
        settings, root = self.app.settings.http, self.app.workspace.root
        resource = settings.public_url or self.place.url
        self._metrics = Metrics(self.metrics_folder)
        self._limits = Limits(settings)
        self._authentication = Authentication(settings, root, resource, self.environment)
        self._challenge = Challenge(resource, self._authentication.issuer, SCOPES)
        self._probes = Probes(self.app, self._authentication)
        self._stop_spans = export_spans(self.environment)
        self._manager = self._managed()
        methods = ("POST", "GET", "DELETE") if self.sessions else ("POST",)
        # A span for each request is the SDK's work.
        recorders = (self._audit, self._metrics.record)
        self._direct = None if exporting(self.environment) else Direct(self.app, self.offer, *recorders)
        endpoint = self._gate(StreamableHTTPASGIApp(self._manager), methods, self._scope_wanted, self._direct)
        routes = [
            Route("/metrics", self._gate(self._shown_metrics, ("GET",), lambda message: "infra:read")),
            Route("/healthz", self._probes.health),
            Route("/readyz", self._probes.readiness),
        ]
        if self._authentication.issuer is not None:
            routes += [Route(path, self._told_of_issuer) for path in {self._challenge.path, WELL_KNOWN}]
        rest = Starlette(routes=routes, lifespan=self._lifespan)
        # A redirect would repeat the Host of whoever asks, before it was looked at.
        rest.router.redirect_slashes = False
        application = _at(PATH, endpoint, rest)
        if settings.allowed_origins:
            application = CORSMiddleware(
                application,
                allow_origins=pages(settings),
                allow_methods=["POST"],
                allow_headers=["*"],
                expose_headers=["www-authenticate"],
            )
        return counted(application, self._metrics)

    def _managed(self) -> StreamableHTTPSessionManager:
        settings = self.app.settings
        self._audit = audit_to(settings.audit, self.app.workspace.root, self.app.redact)
        server = make_server(
            self.app,
            self.offer,
            shared=self._authentication.kind != "none",
            sessions=self.sessions,
            watches=[recording(self.offer, self._audit, self._metrics.record)],
            opened=self._open.append,
        )
        self.fit(server)
        return StreamableHTTPSessionManager(
            server,
            stateless=not self.sessions,
            security_settings=security(self.place, settings.http),
            max_request_body_size=settings.http.max_request_bytes,
        )

    def _gate(
        self,
        app: ASGIApp,
        methods: tuple[str, ...],
        scope_wanted: Callable[[Any], str | None],
        direct: Direct | None = None,
    ) -> Gate:
        settings = self.app.settings.http
        return Gate(
            app,
            security=security(self.place, settings),
            authentication=self._authentication,
            challenge=self._challenge,
            limits=self._limits,
            metrics=self._metrics,
            max_bytes=settings.max_request_bytes,
            methods=methods,
            scope_wanted=scope_wanted,
            forbidden=self._forbidden,
            direct=direct,
        )

    def _forbidden(self, caller: Caller, message: Any) -> None:
        """An attempt is worth a line as much as a call."""
        if isinstance(message, dict):
            method, params = str(message.get("method")), message.get("params") or {}
            told = Record(caller.name, method, known_name(self.offer, method, params), None, None, None, 0, "forbidden")
            self._audit(told)
            self._metrics.record(told)

    def _scope_wanted(self, message: Any) -> str | None:
        """The scope that a request asks for by what it names; what it may see of a list is judged where it is listed."""
        params = message.get("params") if isinstance(message, dict) else None
        if not isinstance(params, dict):
            return None
        name, method = params.get("name"), message.get("method")
        behind: str | None = None
        if method == "tools/call" and isinstance(name, str):
            behind = name
        elif method == "resources/read" and isinstance(params.get("uri"), str):
            behind = tool_behind(params["uri"])
        elif method == "prompts/get" and isinstance(name, str) and name in PROMPTS:
            behind = next(iter(PROMPTS[name].needs), None)
        return scope_of(behind) if behind is not None and behind in self.offer.tools else None

    async def _shown_metrics(self, scope: Scope, receive: Receive, send: Send) -> None:
        text = await anyio.to_thread.run_sync(self._metrics.text)
        await PlainTextResponse(text, media_type=TEXT)(scope, receive, send)

    async def _told_of_issuer(self, request: Request) -> Response:
        return self._challenge.metadata()

    def _drain(self) -> None:
        self._probes.draining = True
        for subscriptions in self._open:
            subscriptions.end()

    @asynccontextmanager
    async def _lifespan(self, application: Starlette) -> AsyncIterator[None]:
        try:
            with told_of_the_end(self._drain):
                async with self._manager.run(), anyio.create_task_group() as tasks:
                    tasks.start_soon(every_second, self._metrics.write, self.parent)
                    yield
                    tasks.cancel_scope.cancel()
        finally:
            self._metrics.write()
            if self._direct is not None:
                self._direct.close()
            await self._authentication.close()
            await anyio.to_thread.run_sync(self._stop_spans)
            self.app.close()


def _at(path: str, endpoint: ASGIApp, rest: ASGIApp) -> ASGIApp:
    """*endpoint* at *path*, where nearly all requests go, and *rest* elsewhere."""

    async def routed(scope: Scope, receive: Receive, send: Send) -> None:
        here = scope["type"] == "http" and scope["path"] in (path, f"{path}/")
        await (endpoint if here else rest)(scope, receive, send)

    return routed


def counted(app: ASGIApp, metrics: Metrics) -> ASGIApp:
    """*app*, with its requests counted by status, and how many run."""

    async def counting(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await app(scope, receive, send)

        async def heard(message: Message) -> None:
            if message["type"] == "http.response.start":
                metrics.add("daan_requests_total", {"status": str(message["status"])})
            await send(message)

        metrics.add("daan_requests_running", value=1)
        try:
            await app(scope, receive, heard)
        finally:
            metrics.add("daan_requests_running", value=-1)

    return counting
