"""What a portal left lying: connections without an owner or in two environments, states of sign-ins that never ended."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from mcp_daan.tokens.columns import snake
from mcp_daan.tokens.finding import Found, found
from mcp_daan.tokens.moments import moment

# Tables in which portals keep what lives from a redirect to its answer.
LEFTOVERS = (
    "oauth_states oauth_state auth_states auth_state login_states login_state oauth_sessions oauth_requests"
    " auth_requests oauth_codes oauth_code authorization_codes auth_codes pkce pkce_verifiers pkce_codes code_verifiers"
).split()
# A sign-in that takes longer was given up: Exact Online's codes live 3 minutes, and people are slower than that.
LIVE_SECONDS = 600
MOST_READ = 200_000
# So few may be of people who closed a window.
FEW = 10
TIMES = (r"created(?:_at|_on)?|issued_at|timestamp", r"expires?(?:_at|_on)?|expiry|expiration|valid_until")
# Which tables a column's name means.
OWNERS = {
    "user": ("users", "user"),
    "owner": ("users", "user"),
    "created_by": ("users", "user"),
    "account": ("accounts", "account"),
    "tenant": ("tenants", "tenant"),
    "organization": ("organizations", "organization"),
    "org": ("organizations", "organization", "orgs", "org"),
}


def owner_names(column: str) -> Sequence[str]:
    """The tables that a column such as `user_id` may name a row of."""
    return OWNERS.get(snake(column).removesuffix("_id"), ())


def time_column(columns: Sequence[str]) -> str | None:
    """The column that tells how old a row is."""
    fitting = (column for pattern in TIMES for column in columns if re.fullmatch(pattern, snake(column)))
    return next(fitting, None)


def orphaned(table: str, owner: str, count: int) -> Iterator[Found]:
    """The finding on *count* rows whose owner is gone."""
    if count:
        yield found(
            "owner_missing",
            "warning",
            f"`{table}.{owner}` names owners that no longer exist: their tokens are still kept, and still refreshed.",
            "Remove these connections, and let removing an owner remove what belongs to it.",
            count,
        )


def two_environments(shared: Mapping[str, int]) -> Iterator[Found]:
    """The finding on users that are connected in other databases too: *shared* counts them by database."""
    if shared:
        yield found(
            "two_environments",
            "warning",
            f"Users at the provider who are connected in another database of this workspace too ({', '.join(shared)}):"
            " two environments on one client id end each other's refresh tokens.",
            "Give each environment a client id of its own at the provider, and remove the copied connections.",
            sum(shared.values()),
        )


def left_behind(table: str, column: str, values: Iterable[Any], now: float) -> Iterator[Found]:
    """The finding on rows of *table* that are too old to be of a sign-in that still goes on."""
    read = (moment(value) for value in islice(values, MOST_READ))
    old = sum(at is not None and at[0] < now - LIVE_SECONDS for at in read)
    if old:
        yield found(
            "states_left",
            "warning" if old > FEW else "info",
            f"`{table}` keeps {old} states or codes of sign-ins from more than {LIVE_SECONDS // 60} minutes ago"
            f" (`{column}`).",
            "Delete a state when its answer comes, and the others on a schedule; what is old must not be accepted.",
        )
