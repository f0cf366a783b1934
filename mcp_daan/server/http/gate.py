"""What a request passes before it is answered: where it comes from, who sends it, how much, whether it may."""

import asyncio
import json
import math
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from typing import Any

from mcp.server.transport_security import TransportSecurityMiddleware, TransportSecuritySettings
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mcp_daan.errors import DaanError
from mcp_daan.scopes import held
from mcp_daan.server.callers import KEY, LOCAL, Caller
from mcp_daan.server.front import plain
from mcp_daan.server.http.auth import NO_TOKEN, Authentication
from mcp_daan.server.http.challenge import Challenge
from mcp_daan.server.http.direct import Direct
from mcp_daan.server.http.identity import Rejected
from mcp_daan.server.http.limits import Limited, Limits
from mcp_daan.server.http.metrics import Metrics

# A code of ours, in the range that the protocol leaves to servers.
REFUSED = -32010
# How long the body of a request may take to arrive.
SECONDS = 30.0
NAMES = (b"host", b"origin")
Asked = Callable[[Any], str | None]


class Refusal(Exception):
    """The request goes no further; `response` says why."""

    def __init__(self, reason: str, response: Response) -> None:
        super().__init__(reason)
        self.reason, self.response = reason, response


class Gate:
    """Lets a request through to *app* with its caller, or answers it."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        security: TransportSecuritySettings,
        authentication: Authentication,
        challenge: Challenge,
        limits: Limits,
        metrics: Metrics,
        max_bytes: int,
        methods: tuple[str, ...],
        scope_wanted: Asked,
        forbidden: Callable[[Caller, Any], None] = lambda caller, message: None,
        direct: Direct | None = None,
    ) -> None:
        """*scope_wanted* tells the scope that a message asks for; *forbidden* hears of a caller without it.

        *direct* answers plain calls before *app* sees them.
        """
        self._direct = direct
        self._app, self._methods, self._max_bytes = app, methods, max_bytes
        self._security = TransportSecurityMiddleware(security)
        self._authentication, self._challenge = authentication, challenge
        self._limits, self._metrics = limits, metrics
        self._scope_wanted, self._forbidden = scope_wanted, forbidden

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # Names of hosts have no case, and what they are held against is in small letters.
        headers = [(name, value.lower() if name in NAMES else value) for name, value in scope["headers"]]
        scope = {**scope, "headers": headers}
        request = Request(scope, receive)
        with ExitStack() as stack:
            try:
                body, message = await self._admitted(request, stack)
            except Refusal as refusal:
                self._metrics.add("daan_refusals_total", {"reason": refusal.reason})
                await refusal.response(scope, receive, send)
                return
            call = None if self._direct is None else self._direct.call(message, scope["headers"], scope[KEY])
            if call is not None and self._direct is not None:
                await self._direct.answer(call, receive, send)
            else:
                await self._app(scope, _again(body, receive), send)

    async def _admitted(self, request: Request, stack: ExitStack) -> tuple[bytes, Any]:
        """The body, and the message that it holds for every reader of JSON, if it does."""
        if request.method not in self._methods:
            raise Refusal("method", Response(status_code=405, headers={"allow": ", ".join(self._methods)}))
        refused = await self._security.validate_request(request, is_post=request.method == "POST")
        if refused is not None:
            raise Refusal({403: "origin", 421: "host"}.get(refused.status_code, "content type"), refused)
        caller = await self._caller(request)
        request.scope[KEY] = caller
        # What tells of several scopes at once learns here which of them its caller holds; whatever task or thread
        # answers the request inherits it.
        held.set(caller.scopes)
        if caller.scopes is None:  # whoever works at this machine: there is nobody to protect from
            body = await self._body(request)
            return body, plain.decoded(body)
        try:
            self._limits.take(caller.name)
            with self._limits.running(caller.name, "concurrency"):
                body = await self._body(request)
            message = plain.decoded(body)
            told = message or _decoded(body)
            stream = isinstance(told, dict) and told.get("method") == "subscriptions/listen"
            stack.enter_context(self._limits.running(caller.name, "streams" if stream else "concurrency"))
        except Limited as limited:
            raise Refusal(limited.limit, _too_many(limited)) from None
        wanted = self._scope_wanted(told)
        if wanted is not None and wanted not in caller.scopes:
            self._forbidden(caller, told)
            raise Refusal("scope", self._challenge.forbidden(wanted))
        return body, message

    async def _caller(self, request: Request) -> Caller:
        if self._authentication.kind == "none":
            return LOCAL
        try:
            return await self._authentication.caller(request.headers.get("authorization"))
        except Rejected as rejected:
            reason = str(rejected)
            raise Refusal(reason, self._challenge.unauthorized(None if reason == NO_TOKEN else reason)) from None
        except DaanError as error:
            response = _told(503, error.message)
            response.headers["retry-after"] = "5"
            raise Refusal("authentication", response) from None

    async def _body(self, request: Request) -> bytes:
        """The whole body, so long as it is short and does not trickle in."""
        declared = request.headers.get("content-length", "")
        if declared.isdigit() and int(declared) > self._max_bytes:
            raise self._too_large()
        body = b""
        try:
            async with asyncio.timeout(SECONDS):
                async for chunk in request.stream():
                    body += chunk
                    if len(body) > self._max_bytes:
                        raise self._too_large()
        except ClientDisconnect:
            raise Refusal("gone", Response(status_code=400)) from None
        except TimeoutError:
            raise Refusal("slow", _told(408, "The request took too long to arrive.")) from None
        return body

    def _too_large(self) -> Refusal:
        return Refusal("size", _told(413, f"A request may have {self._max_bytes} bytes."))


def _decoded(body: bytes) -> object:
    try:
        return json.loads(body) if body else None
    except (ValueError, RecursionError):  # the protocol's own layer answers it
        return None


def _again(body: bytes, receive: Receive) -> Callable[[], Awaitable[Message]]:
    """*receive* with *body* before what comes after it."""
    waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replayed() -> Message:
        return waiting.pop() if waiting else await receive()

    return replayed


def _too_many(limited: Limited) -> Response:
    response = _told(429, f"Too many requests ({limited.limit}).")
    response.headers["retry-after"] = str(max(math.ceil(limited.seconds), 1))
    return response


def _told(status: int, what: str) -> Response:
    """A failure that a client of the protocol can read."""
    return JSONResponse({"jsonrpc": "2.0", "id": None, "error": {"code": REFUSED, "message": what}}, status)
