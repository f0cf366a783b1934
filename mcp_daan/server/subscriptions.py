"""Subscribers hear when what a resource shows has changed on disk.

There is no watcher: while somebody listens, the files behind the addresses are looked at once a second.
"""

from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from urllib.parse import unquote

import anyio
import mcp_types as types
from anyio.streams.memory import MemoryObjectReceiveStream
from mcp.server.subscriptions import InMemorySubscriptionBus, ListenHandler
from mcp.shared.exceptions import MCPError
from mcp.shared.subscriptions import ResourcesListChanged, ResourceUpdated, ServerEvent

from mcp_daan.app import App
from mcp_daan.errors import DaanError
from mcp_daan.server.callers import Caller, Context, offered
from mcp_daan.server.offer import Offer
from mcp_daan.server.resources import DATABASE, DOCUMENT, STATUS
from mcp_daan.workers.kv.namespaces import find_namespaces

SECONDS = 1.0
Stamp = tuple[tuple[int, int], ...]
# What the list of resources is watched by.
LIST = "resources/list"


class Subscriptions:
    """Who listens to what, in both eras of the protocol."""

    def __init__(self, app: App, offer: Offer) -> None:
        self._app = app
        self._offer = offer
        self._bus = InMemorySubscriptionBus()
        self._listen = ListenHandler(self._bus)
        self._wanted: Counter[str] = Counter()
        self._legacy: dict[tuple[int, str], Callable[[], None]] = {}
        self._seen: dict[str, Stamp | None] = {}

    async def listen(
        self, context: Context, params: types.SubscriptionsListenRequestParams
    ) -> types.SubscriptionsListenResult:
        """Serve `subscriptions/listen` (2026-07-28) until the client goes; what it may not see is left out."""
        shown = offered(self._offer, context)
        wanted = [uri for uri in params.notifications.resource_subscriptions or [] if shown.shows(uri)]
        heard = params.notifications.model_copy(update={"resource_subscriptions": wanted or None})
        params = params.model_copy(update={"notifications": heard})
        if params.notifications.resources_list_changed:
            wanted.append(LIST)
        with self._wanting(wanted):
            return await self._listen(context, params)

    async def subscribe(self, context: Context, params: types.SubscribeRequestParams) -> types.EmptyResult:
        """Serve `resources/subscribe` (until 2025-11-25)."""
        if not offered(self._offer, context).shows(params.uri):
            raise MCPError(types.INVALID_PARAMS, "There is no such resource.", {"uri": params.uri})
        key = (id(context.session), params.uri)
        if key not in self._legacy:
            send, receive = anyio.create_memory_object_stream[str](64)

            def deliver(event: ServerEvent) -> None:
                if event == ResourceUpdated(params.uri):
                    try:
                        send.send_nowait(params.uri)
                    except anyio.WouldBlock:
                        return  # 64 notices wait unread: one more says nothing new

            leave = self._bus.subscribe(deliver)
            wanting = self._wanting([params.uri])
            wanting.__enter__()

            def end() -> None:
                leave()
                send.close()
                wanting.__exit__(None, None, None)

            self._legacy[key] = end
            self._tasks.start_soon(_forward, context, receive)
        return types.EmptyResult()

    async def unsubscribe(self, context: Context, params: types.UnsubscribeRequestParams) -> types.EmptyResult:
        """Serve `resources/unsubscribe`."""
        end = self._legacy.pop((id(context.session), params.uri), None)
        if end is not None:
            end()
        return types.EmptyResult()

    async def tell(self, event: ServerEvent) -> None:
        """Tell everybody who listens for it of *event*."""
        await self._bus.publish(event)

    def end(self) -> None:
        """End every `subscriptions/listen`, so that its client knows that the server goes."""
        self._listen.close()

    @asynccontextmanager
    async def lifespan(self, caller: Caller, server: object) -> AsyncIterator[Caller]:
        """Watch for as long as the server lives, which is made for *caller*."""
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._run)
            yield caller
            tasks.cancel_scope.cancel()

    async def _run(self) -> None:
        async with anyio.create_task_group() as self._tasks:
            while True:
                await anyio.sleep(SECONDS)
                if self._wanted:
                    await self._publish(await anyio.to_thread.run_sync(self._look))

    def _look(self) -> dict[str, Stamp | None]:
        return {uri: stamp(self._app, uri) for uri in sorted(self._wanted)}

    async def _publish(self, stamps: dict[str, Stamp | None]) -> None:
        for uri, now in stamps.items():
            if self._seen.get(uri, now) != now:
                await self.tell(ResourcesListChanged() if uri == LIST else ResourceUpdated(uri))
        self._seen = stamps

    @contextmanager
    def _wanting(self, uris: list[str]) -> Iterator[None]:
        for uri in uris:
            self._seen.setdefault(uri, stamp(self._app, uri))
        self._wanted.update(uris)
        try:
            yield
        finally:
            self._wanted.subtract(uris)
            self._wanted = +self._wanted


def stamp(app: App, uri: str) -> Stamp | None:
    """What tells one state of the resource from the next: time and size of each file behind it; None while it cannot be told."""
    opened = app.for_call()
    try:
        if uri == LIST:
            names = [str(path) for path in opened.knowledge.files()]
            return tuple((hash(name), 0) for name in (*names, *(each.name for each in opened.databases)))
        if uri.startswith(DOCUMENT):
            return _stats(opened.knowledge.resolve(unquote(uri.removeprefix(DOCUMENT))))
        if uri == STATUS:
            return _stats(*_behind_status(opened))
        if uri.startswith(DATABASE):
            path = opened.database(unquote(uri.removeprefix(DATABASE).removesuffix("/schema"))).path
            return _stats(path, path.with_name(path.name + "-wal")) if path else None
    except DaanError:
        return None
    return None


def _behind_status(app: App) -> Iterator[Path]:
    """The files that the state of everything rests on; what the clock or the account changes is heard at the next look."""
    yield from app.knowledge.files()
    yield from (app.workspace.root / ".git" / name for name in ("HEAD", "logs/HEAD", "packed-refs"))
    for each in app.workspace.apps:
        yield from (each.path, each.path.parent / ".dev.vars")
    kept = [database.path for database in app.databases]
    kept += [namespace.path for namespace in find_namespaces(app.workspace, app.settings.d1.persist)]
    for path in kept:
        if path is not None:
            yield from (path, path.with_name(path.name + "-wal"))
    yield from (each.migrations for each in app.databases if each.migrations is not None)


def _stats(*paths: Path) -> Stamp:
    return tuple((stat.st_mtime_ns, stat.st_size) for path in paths if path.exists() for stat in [path.stat()])


async def _forward(context: Context, receive: MemoryObjectReceiveStream[str]) -> None:
    async with receive:
        async for uri in receive:
            try:
                await context.session.send_resource_updated(uri)
            except (anyio.ClosedResourceError, anyio.BrokenResourceError):
                return  # the client is gone
