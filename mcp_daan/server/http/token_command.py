"""`mcp-daan token`: what a person does with the tokens of callers."""

import json
import sys
from collections.abc import Sequence

from mcp_daan.app import App
from mcp_daan.errors import InvalidArguments
from mcp_daan.server.http.tokens import Grant, TokenFile, token_file


def run(app: App, action: str, name: str | None, scopes: Sequence[str], days: int | None, as_json: bool) -> int:
    """Create, list or revoke; the token itself is written once, alone on stdout."""
    tokens = token_file(app.settings.http, app.workspace.root)
    if action == "list":
        _list(tokens, as_json)
    elif name is None:
        raise InvalidArguments("The token's name is missing.", advice=f"Write `mcp-daan token {action} NAME`.")
    elif action == "revoke":
        tokens.revoke(name)
        sys.stderr.write("mcp-daan: revoked; running servers refuse it from now on.\n")
    else:
        sys.stdout.write(tokens.create(name, scopes, days) + "\n")
        sys.stderr.write(f"mcp-daan: shown this once; its hash is in {tokens.path}\n")
    return 0


def _list(tokens: TokenFile, as_json: bool) -> None:
    grants = tokens.grants()
    if as_json:
        sys.stdout.write(json.dumps([_shown(grant) for grant in grants], ensure_ascii=False, indent=2) + "\n")
        return
    for grant in grants:
        until = f"until {grant.expires}" if grant.expires else "for good"
        sys.stdout.write(f"{grant.name:20} {' '.join(grant.scopes)} (made {grant.created}, {until})\n")


def _shown(grant: Grant) -> dict[str, object]:
    return {"name": grant.name, "scopes": grant.scopes, "created": grant.created, "expires": grant.expires}
