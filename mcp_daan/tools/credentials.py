"""What this machine may do at Cloudflare: the API token, wrangler's login, and who else may read their files."""

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mcp_daan.app import App
from mcp_daan.errors import DaanError, RejectedCredentials
from mcp_daan.secret_names import secret_name
from mcp_daan.tokens import credentials as api
from mcp_daan.tokens import login as wrangler
from mcp_daan.tokens.credentials import ApiToken, Kind, examine, kind_of, token_findings
from mcp_daan.tokens.finding import Found, found
from mcp_daan.tokens.health import Credentials, iso
from mcp_daan.tokens.keys import VARIABLES
from mcp_daan.tokens.login import Login, login_findings, read_login
from mcp_daan.tokens.modes import open_to_others
from mcp_daan.wrangler import dev_vars

if TYPE_CHECKING:
    from mcp_daan.cloudflare import Cloudflare

REMEMBERED_SECONDS = 60.0
_told: "dict[Cloudflare, tuple[float, ApiToken]]" = {}


@dataclass(frozen=True)
class Held:
    """What was found; `report` is the one credential that the answer is about."""

    token: ApiToken | None
    login: Login | None
    found: list[Found]

    @property
    def report(self) -> Credentials | None:
        """The API token, else wrangler's login, else None."""
        if self.token is not None:
            return Credentials(
                source=api.SOURCE,
                status=self.token.status,
                expires_on=None if self.token.expires is None else iso(self.token.expires),
                can_read=self.token.reads["d1"],
                can_write=self.token.can_write,
            )
        if self.login is None:
            return None
        scopes = self.login.scopes
        may = None if scopes is None or self.login.status == "expired" else wrangler.D1_SCOPE in scopes
        return Credentials(
            source=wrangler.SOURCE,
            status=self.login.status,
            expires_on=None if self.login.expires is None else iso(self.login.expires),
            can_read=may,
            can_write=may,
        )


def held(app: App) -> Held:
    """What is known of the credentials; the API token is shown to Cloudflare, wrangler's login to nobody."""
    now = app.now.timestamp()
    token = _token(app, now)
    login = read_login(app.environment, app.workspace.root, now)
    seen = list(token_findings(token, now)) if token is not None else []
    if login is not None:
        seen += login_findings(login)
    return Held(token, login, [*seen, *_open_files(app, login)])


def _token(app: App, now: float) -> ApiToken | None:
    given = app.variable(api.SOURCE)
    if given is None:
        return None
    try:
        cloudflare = app.cloudflare
    except RejectedCredentials:  # no token can look like this
        return ApiToken("unknown", "rejected")
    except DaanError as error:
        return ApiToken("unknown", problem=error)
    return None if cloudflare is None else _lately(cloudflare, kind_of(given), now)


def _lately(cloudflare: "Cloudflare", kind: Kind, now: float) -> ApiToken:
    """What Cloudflare told a moment ago, else what it tells now: prompts and completion ask often."""
    at, token = _told.get(cloudflare, (0.0, None))
    if token is None or time.monotonic() - at > REMEMBERED_SECONDS:
        token = examine(cloudflare, kind, now)
        if token.problem is None:
            _told.clear()  # a process has one token
            _told[cloudflare] = (time.monotonic(), token)
    return token


def _open_files(app: App, login: Login | None) -> list[Found]:
    """The files with secrets that others on this machine may read."""
    shown = []
    for each in app.workspace.apps:
        file = each.path.parent / ".dev.vars"
        secret = [name for name in dev_vars(file.parent) if secret_name(name) or name in VARIABLES.values()]
        if secret and open_to_others(file):
            shown.append(_lies_open("dev_vars_open", app.workspace.relative(file)))
    if login is not None and open_to_others(login.file):
        shown.append(_lies_open("wrangler_login_open", f"config/{login.file.name} of wrangler's folder"))
    return shown


def _lies_open(code: str, name: str) -> Found:
    return found(code, "warning", f"Others on this machine may read `{name}`.", f"Run `chmod 600` on {name}.")
