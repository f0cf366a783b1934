"""What is said of one connection: how sure the verdict is, what it rests on, what to do. Names and ages, no values."""

from collections.abc import Callable
from typing import Literal

from mcp_daan.tokens.loop import AHEAD, DAY, DEAD, HOUR, REFRESH_DAYS
from mcp_daan.tokens.moments import ACCESS_SECONDS, AGREES_WITHIN
from mcp_daan.tokens.stored import State
from mcp_daan.tokens.verdicts import NO_TOKEN, SHUT, Judged, Verdict, superseded

Confidence = Literal["high", "medium", "low"]

NEXT_STEPS: dict[Verdict, str] = {
    "missing_token": "Let the customer connect again; look into why no token was stored.",
    "plaintext_at_rest": "Seal the token with TOKEN_ENCRYPTION_KEY, and let the customer reconnect if others could read it.",
    "undecryptable": "Find the key that sealed it and set TOKEN_ENCRYPTION_KEY_PREVIOUS; else let the customer reconnect.",
    "needs_reauth": "Read the row once more, then let the customer connect again.",
    "duplicate_grant": "Keep one connection for this user at the provider, and remove the others.",
    "refresh_stuck": "Find out why the refresh skips this connection before the refresh token dies.",
    "degraded": "Wait for the next refresh; look into it if the error stays.",
    "reauth_soon": "Use or refresh the connection now, or ask the customer to connect again.",
    "unknown": "Name the missing column under `[tokens] columns` in daan.toml.",
    "healthy": "Nothing to do.",
}
STATES: dict[State, str] = {
    "missing": "holds nothing",
    "empty": "opens to an empty or undefined value",
    "plaintext": "holds a token that is not sealed",
    "opaque": "holds what is no sealed value and looks like a token",
    "unopened": "opens with none of the keys",
    "other": "is sealed in another scheme (Fernet)",
    "malformed": "is no sealed value: cut short or overwritten",
    "untried": "was not opened: there is no key for it",
    "absent": "there is no such column",
}
FAULTS = {
    "dead": "Exact Online's answer for a refresh token that went unused too long",
    "broken": "Exact Online's answer for a refresh token that was used before: the chain is broken",
    "serialise": "several authorizations ran at once; reconnect once, one after the other",
    "revoked": "the provider no longer accepts the grant",
    "too_early": "a refresh came before the last token had ended; not a failure of the connection",
    "client": "the provider rejects the application's own client id or secret",
    "transient": "an error that passes: rate limit, timeout or 5xx",
    "forbidden": "access to the data was forbidden, which is not a dead token",
    "unclear": "an error that is not in the provider's known list",
}
MISTAKES = {
    "joined": "{expires_at}: seconds and duration were joined as text, not added",
    "start_zone": "{refreshed_at}: local time without its zone",
    "end_zone": "{expires_at}: local time without its zone",
}


def age(seconds: float) -> str:
    """A length of time as people say it: `40 s`, `12 min`, `5 h`, `25 d`."""
    seconds = abs(seconds)
    for unit, size, most in (("s", 1, 120), ("min", 60, 2 * HOUR), ("h", HOUR, 2 * DAY)):
        if seconds < most:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds / DAY:.0f} d"


def evidence(judged: Judged, index: int) -> list[str]:
    """What the verdict on the row rests on."""
    table, column = judged.table, judged.table.columns.name
    said = [f"{column(role)} {STATES[state]}" for role, state in _states(judged, index) if state in STATES]
    if index in table.left_plain:
        said.append("an unsealed token column beside the sealed one is filled")
    if index in table.sealed_twice:
        said.append("a token is sealed twice")
    if index in table.moved:
        said.append("a token is sealed for another connection: its value was copied from there")
    if odd_content(judged, index):
        said.append("a token opens to what has not the form of Exact Online's tokens")
    said += _about_errors(judged, index)
    if index in judged.same_token:
        said.append(f"{column('refresh_token')}: another active connection holds the same token")
    if index in judged.same_user:
        said.append(f"{column('external_user')}: another active connection has the same user")
    if not table.active[index]:
        said.append(f"{column('status')}: no longer in use")
    return said + _about_times(judged, index)


def odd_content(judged: Judged, index: int) -> bool:
    """Whether a token of the row opens to something unlike the tokens of its neighbours."""
    return judged.stamped and index in judged.table.odd and judged.table.exact[index]


def _states(judged: Judged, index: int) -> list[tuple[str, State]]:
    table = judged.table
    if "tokens" in table.columns:
        return [("tokens", table.refresh[index])]
    return [("access_token", table.access[index]), ("refresh_token", table.refresh[index])]


def _about_errors(judged: Judged, index: int) -> list[str]:
    table, column = judged.table, judged.table.columns.name
    said = []
    if index in table.dead_status:
        said.append(f"{column('status')}: the application itself gave the grant up")
    fault = table.fault.get(index)
    if fault is not None:
        role = next(
            each for each in ("last_error", "error_code", "error_detail", "error_status") if each in table.columns
        )
        said.append(f"{column(role)}: {FAULTS[fault]}")
        at = table.error_at.get(index)
        if at is not None:
            after = ", before the last refresh, so it no longer counts" if superseded(table, index) else ""
            said.append(f"{column('error_at')}: {age(judged.now - at)} ago{after}")
    count = table.failures.get(index)
    if count:
        said.append(f"{column('failures')}: {count}")
    return said


def _about_times(judged: Judged, index: int) -> list[str]:
    table, column, now = judged.table, judged.table.columns.name, judged.now
    success, source = table.success[index], column(table.success_from[index])
    said = []
    if success is None:
        said.append(f"{source}: no moment that can be read")
    elif success > now + AHEAD:
        said.append(f"{source}: {age(success - now)} in the future")
    elif success > now:
        said.append(f"{source}: {age(success - now)} ahead, the writer's clock is fast")
    else:
        said.append(f"{source}: refreshed {age(now - success)} ago")
    ends = table.refresh_expires[index]
    if ends is not None:
        late = ", yet it was refreshed since" if refreshed_after_its_end(judged, index) else ""
        said.append(f"{column('refresh_expires_at')}: {_due(ends - now)}{late}")
    elif judged.verdicts[index] in ("needs_reauth", "reauth_soon") and success is not None:
        said.append(f"refresh tokens are taken to end after {REFRESH_DAYS} d, as Exact Online's do")
    expires = table.expires[index]
    if expires is not None:
        said.append(f"{column('expires_at')}: {_due(expires - now)}")
    said += _about_units(judged, index)
    if index in table.mistakes:
        said.append(MISTAKES[table.mistakes[index]].format(expires_at=column("expires_at"), refreshed_at=source))
    elif off_by(judged, index):
        said.append(f"{column('expires_at')} is not {ACCESS_SECONDS} s after {source}")
    return said


def _about_units(judged: Judged, index: int) -> list[str]:
    table, column = judged.table, judged.table.columns.name
    said = []
    for role, units in (("refreshed_at", table.success_unit), ("expires_at", table.expires_unit)):
        usual = judged.usual_unit(role)
        if units[index] not in (None, usual):
            said.append(f"{column(role)}: in {units[index]}, where most rows have {usual}")
    return said


def off_by(judged: Judged, index: int) -> float:
    """By how much a row of Exact Online's differs from its 600 s between refresh and end; 0 where it does not."""
    table = judged.table
    success, expires = table.success[index], table.expires[index]
    if success is None or expires is None or not table.exact[index] or table.success_from[index] != "refreshed_at":
        return 0.0
    off = expires - success - ACCESS_SECONDS
    return off if abs(off) > AGREES_WITHIN else 0.0


def refreshed_after_its_end(judged: Judged, index: int) -> bool:
    """Whether the row was refreshed later than its refresh token is said to have ended."""
    ends, success = judged.table.refresh_expires[index], judged.table.success[index]
    return ends is not None and success is not None and ends < success


def confidence(judged: Judged, index: int) -> Confidence:
    """How sure the verdict on the row is."""
    return _CONFIDENCE.get(judged.verdicts[index], _plainly)(judged, index)


def next_step(judged: Judged, index: int) -> str:
    """What to do about the row, in one short sentence."""
    verdict, table = judged.verdicts[index], judged.table
    fault = table.fault.get(index)
    if verdict == "refresh_stuck" and judged.scope(verdict) == "all":
        return "Look at the cron trigger, the last deployment and the client secret: nothing is refreshed any more."
    if verdict in ("refresh_stuck", "degraded") and fault == "client":
        return "Restore the application's client id and secret; the connection itself may be well."
    if verdict == "degraded" and fault == "forbidden":
        return "Check which divisions and rights the customer gave; the token is alive."
    if verdict == "needs_reauth" and fault == "serialise":
        return "Let the customer connect again once, without a second authorization at the same time."
    if verdict == "undecryptable" and not any(table.tally.keys.values()):
        return "Check that TOKEN_ENCRYPTION_KEY is this portal's key before anything else."
    if verdict == "unknown" and not judged.lacking:
        return "Let the refresh write a moment that can be read."
    return NEXT_STEPS[verdict]


def _due(seconds: float) -> str:
    return f"{age(seconds)} left" if seconds >= 0 else f"ended {age(seconds)} ago"


def _plainly(judged: Judged, index: int) -> Confidence:
    table = judged.table
    seen = table.access[index] == "opened" == table.refresh[index]
    return "high" if seen and table.success_from[index] == "refreshed_at" else "medium"


def _of_missing(judged: Judged, index: int) -> Confidence:
    table = judged.table
    return "medium" if NO_TOKEN.isdisjoint({table.access[index], table.refresh[index]} - {"empty"}) else "high"


def _of_plaintext(judged: Judged, index: int) -> Confidence:
    table = judged.table
    told = "plaintext" in (table.access[index], table.refresh[index]) or index in table.left_plain
    return "high" if told else "medium"


def _of_undecryptable(judged: Judged, index: int) -> Confidence:
    # Where nothing opens at all it may be the key that is wrong, not the values.
    shut = {judged.table.access[index], judged.table.refresh[index]} & SHUT
    return "high" if shut & {"malformed", "other"} or any(judged.table.tally.keys.values()) else "medium"


def _of_reauth(judged: Judged, index: int) -> Confidence:
    table = judged.table
    left = table.refresh_expires[index]
    if left is not None and left <= judged.now:
        return "medium" if refreshed_after_its_end(judged, index) else "high"
    fault = None if superseded(table, index) else table.fault.get(index)
    if fault in DEAD:
        # Without its moment the error may be older than a refresh that succeeded since.
        success = table.success[index]
        known = index in table.error_at or success is None or success < judged.now - judged.loop.stuck_after
        return "high" if fault in ("dead", "broken") and known else "medium"
    if index in table.dead_status:
        return "medium"
    # Thirty days are Exact Online's, and unwritten there.
    return "medium" if table.exact[index] else "low"


def _of_stuck(judged: Judged, index: int) -> Confidence:
    return "high" if judged.loop.served >= 3 and judged.table.success_from[index] == "refreshed_at" else "medium"


_CONFIDENCE: dict[Verdict, Callable[[Judged, int], Confidence]] = {
    "missing_token": _of_missing,
    "plaintext_at_rest": _of_plaintext,
    "undecryptable": _of_undecryptable,
    "needs_reauth": _of_reauth,
    "duplicate_grant": lambda judged, index: "high" if index in judged.same_token else "medium",
    "refresh_stuck": _of_stuck,
    "degraded": lambda judged, index: "high" if judged.table.fault.get(index) == "transient" else "low",
    "reauth_soon": lambda judged, index: "high" if judged.table.refresh_expires[index] is not None else "medium",
    "unknown": lambda judged, index: "low",
}
