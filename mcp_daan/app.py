"""App: what tools may touch. Opened once, copied for each call, closed once."""

import os
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Generic, TypeVar

from mcp_daan.cached import cached_property
from mcp_daan.config import FILE, Limits, Settings, now, settings_in, settings_of
from mcp_daan.d1.databases import Database, choose, find_databases
from mcp_daan.d1.pool import Pool
from mcp_daan.d1.remote.finding import account_databases, bound_databases, completed, further_databases
from mcp_daan.d1.remote.schemas import Schemas
from mcp_daan.errors import DaanError, NotFound, Unavailable
from mcp_daan.protocol import Said
from mcp_daan.remembered import Looks, Remembered
from mcp_daan.scrub import Secrets
from mcp_daan.secret_names import secret_name
from mcp_daan.toolbox import Progress
from mcp_daan.variables import filled
from mcp_daan.workspace import Workspace, find_workspace
from mcp_daan.wrangler import DEV_VARS, variables_in

if TYPE_CHECKING:
    from mcp_daan.cloudflare import Cloudflare
    from mcp_daan.crew import Crew
    from mcp_daan.d1.remote.access import Remote
    from mcp_daan.knowledge.base import KnowledgeBase
    from mcp_daan.knowledge.retrieval.meaning import Meaning
    from mcp_daan.tokens.keys import KeyRing

T = TypeVar("T")
SECRET_VARIABLES = ("TOKEN_ENCRYPTION_KEY", "TOKEN_ENCRYPTION_KEY_PREVIOUS", "CLOUDFLARE_API_TOKEN")


class Clouds:
    """Cloudflare, opened once for each way to see it, so that calls share its connections."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._opened: dict[tuple[str, str | None, str | None, Limits], Cloudflare] = {}

    def seen(self, token: str, account_id: str | None, base: str | None, limits: Limits) -> "Cloudflare":
        """Cloudflare with this token, account and address."""
        from mcp_daan.cloudflare import Cloudflare  # what it stands on is large, and most calls need no network

        key = (token, account_id, base, limits)
        with self._lock:
            if key not in self._opened:
                self._opened[key] = Cloudflare(token, account_id=account_id, base=base, limits=limits)
            return self._opened[key]

    def close(self) -> None:
        """End the connections of all."""
        with self._lock:
            opened, self._opened = self._opened, {}
        for each in opened.values():
            each.close()


class Late(Generic[T]):
    """One thing that all calls share, made by the first that needs it: what makes it takes time to load."""

    def __init__(self, make: Callable[[], T]) -> None:
        self._lock = threading.Lock()
        self._make = make
        self.made: T | None = None

    def get(self) -> T:
        """The one thing."""
        with self._lock:
            if self.made is None:
                self.made = self._make()
            return self.made


class App:
    """One workspace and what is open of it.

    What depends on files is found anew for each call (`for_call`), so an edit is seen without a restart;
    a broken `daan.toml` or a missing folder fails the call that needs it, never the server.
    """

    def __init__(self, workspace: str | None = None, environment: Mapping[str, str] = os.environ) -> None:
        self.named = workspace
        self.environment = filled(environment)
        self._own_secrets = _secret(self.environment)
        self.remembered = Remembered()
        self.settings_in = partial(settings_in, self.environment)
        self.pool = Pool()
        self._meaning = Late(_meaning)
        self.clouds = Clouds()
        self.schemas = Schemas()
        self._crew = Late(_crew)
        self.progress: Progress = lambda done, total, message: None

    def for_call(self, progress: Progress | None = None) -> "App":
        """This app for one call: files are looked at again, what is open stays open."""
        fresh = type(self).__new__(type(self))
        fresh.__dict__ |= {name: value for name, value in self.__dict__.items() if name not in FOUND_ANEW}
        if progress is not None:
            fresh.progress = progress
        return fresh

    def close(self) -> None:
        """End what is open."""
        self.pool.close()
        if self._meaning.made is not None:
            self._meaning.made.close()
        self.clouds.close()

    @property
    def meaning(self) -> "Meaning":
        """What knows which texts mean the same."""
        return self._meaning.get()

    @property
    def crew(self) -> "Crew[Said]":
        """Who asks several tools side by side."""
        return self._crew.get()

    @cached_property
    def workspace(self) -> Workspace:
        """The workspace; NotFound when its folder is gone."""
        return find_workspace(self.named, self.environment, self.remembered)

    @cached_property
    def settings(self) -> Settings:
        """The settings; InvalidArguments while `daan.toml` is broken."""
        read = self.remembered.file(f"{self.workspace.root}/{FILE}", self.settings_in)
        return read or self.remembered.worked_out("settings", (), lambda looks: settings_of(self.environment, {}))

    @cached_property
    def now(self) -> datetime:
        """The moment by which ages are judged."""
        return now(self.environment)

    @cached_property
    def databases(self) -> list[Database]:
        """Every D1 database that the workspace names."""
        given = (self.workspace.root, self.settings.d1, *self.workspace.apps)
        found = self.remembered.worked_out(
            "databases", given, lambda looks: find_databases(self.workspace, self.settings.d1, looks)
        )
        return [*found]

    @cached_property
    def reachable(self) -> list[Database]:
        """The same, and the remote databases that wrangler's bindings name."""
        given = (self.account_id, *self.databases, self.settings.d1, *self.workspace.apps)
        return [*self.remembered.worked_out("reachable", given, self._reachable)]

    def _reachable(self, looks: Looks) -> list[Database]:
        bound = bound_databases(self.workspace, self.settings.d1, self.databases, self.account_id, looks)
        named = [completed(each, bound) if each.location == "remote" else each for each in self.databases]
        known = {each.id for each in named if each.location == "remote"}
        return [*named, *(each for each in bound if each.id not in known)]

    def database(self, name: str) -> Database:
        """The database called *name*, one of the account's too; NotFound that lists the names otherwise."""
        try:
            return choose(self.reachable, name)
        except NotFound as unknown:
            try:
                further = self.further_databases(name.removeprefix("remote:"))
            except DaanError:
                if name.startswith("remote:"):
                    raise
                raise unknown from None
            if not further:
                raise
            return choose(further, name)

    def further_databases(self, name: str | None = None) -> list[Database]:
        """The databases of the account that nothing here names; with *name* the one that bears it."""
        if self.cloudflare is None or self.cloudflare.account_id is None:
            return []
        listed = account_databases(self.cloudflare, name=name)
        return further_databases(listed, self.settings.d1, self.reachable, self.cloudflare.account_id)

    @property
    def account_id(self) -> str | None:
        """The account at Cloudflare."""
        return self.variable("CLOUDFLARE_ACCOUNT_ID") or self.settings.cloudflare.account_id

    def remote(self, database: Database) -> "Remote":
        """A remote database within reach; Unavailable without a token for Cloudflare."""
        from mcp_daan.d1.remote.access import Remote

        if self.cloudflare is None:
            raise Unavailable(
                "A remote database is read with an API token of Cloudflare, and there is none.",
                advice="Set CLOUDFLARE_API_TOKEN to a token with `D1 Read`, or use the local database.",
                retryable=False,
            )
        seconds = self.settings.limits.request_seconds
        return Remote(self.cloudflare, database, seconds, time.monotonic() + seconds)

    @cached_property
    def knowledge(self) -> "KnowledgeBase":
        """The workspace's documents, else the user's own, else the embedded ones."""
        from mcp_daan.knowledge.base import open_knowledge

        return open_knowledge(self.workspace, self.settings.knowledge)

    @cached_property
    def cloudflare(self) -> "Cloudflare | None":
        """Cloudflare as the token of the environment sees it; None without a token."""
        token = self.variable("CLOUDFLARE_API_TOKEN")
        if token is None:
            return None
        return self.clouds.seen(token, self.account_id, self.variable("DAAN_CLOUDFLARE_API"), self.settings.limits)

    def variable(self, name: str) -> str | None:
        """What the environment says of *name*; an empty value says nothing."""
        return self.environment.get(name, "").strip() or None

    @cached_property
    def keys(self) -> "KeyRing":
        """The keys that open sealed tokens."""
        from mcp_daan.tokens.keys import read_keys

        return read_keys(self.workspace, self.settings.tokens, self.environment)

    @property
    def max_answer_bytes(self) -> int:
        """How large an answer may be; the default while `daan.toml` is broken."""
        try:
            return self.settings.limits.max_answer_bytes
        except DaanError:
            return Limits().max_answer_bytes

    @cached_property
    def secrets(self) -> Secrets:
        """Every secret value in reach: the environment's, those of `.dev.vars`, the key file's."""
        values = [*self._own_secrets]
        with suppress(DaanError):
            for app in self.workspace.apps:
                with suppress(OSError, UnicodeDecodeError):
                    values += self.remembered.file(f"{app.path.parent}/{DEV_VARS}", _secrets_in) or ()
            if self.settings.tokens.key_file:
                key_file = str(self.workspace.root / self.settings.tokens.key_file)
                with suppress(OSError, UnicodeDecodeError):
                    values.append(self.remembered.file(key_file, _stripped) or "")
        return self.remembered.worked_out("secrets", tuple(values), lambda looks: Secrets(values))

    def redact(self, text: str) -> str:
        """*text* without secrets."""
        return self.secrets.scrub(text)


def _meaning() -> "Meaning":
    from mcp_daan.knowledge.retrieval.meaning import Meaning

    return Meaning()


def _crew() -> "Crew[Said]":
    from mcp_daan.crew import Crew

    return Crew()


# What a call finds for itself.
FOUND_ANEW = frozenset(name for name, value in vars(App).items() if isinstance(value, cached_property))


def _secret(variables: Mapping[str, str]) -> tuple[str, ...]:
    """The values of the variables whose name tells that they are secret."""
    return tuple(value for name, value in variables.items() if name in SECRET_VARIABLES or secret_name(name))


def _secrets_in(file: str) -> tuple[str, ...]:
    return _secret(variables_in(Path(file)))


def _stripped(file: str) -> str:
    return Path(file).read_text(encoding="utf-8").strip()
