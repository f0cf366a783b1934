"""What only the whole table tells: a wrong key, a rotation half done, a loop that stopped, nonces used twice."""

from collections.abc import Iterator, Sequence
from typing import Any

from mcp_daan.protocol import Model, Severity
from mcp_daan.tokens.keys import Key, KeyProblem, KeyRing, wrong_length
from mcp_daan.tokens.loop import DEAD
from mcp_daan.tokens.stored import State
from mcp_daan.tokens.table import Table
from mcp_daan.tokens.verdicts import Judged, superseded
from mcp_daan.tokens.wording import age, off_by

SEALED: frozenset[State] = frozenset({"opened", "empty", "unopened", "untried"})
# A pattern in fewer rows may be chance.
ENOUGH = 3


class Finding(Model):
    """One thing that the table as a whole shows, and how many connections it touches."""

    code: str
    severity: Severity
    message: str
    connections: int | None = None


Found = tuple[Finding, str]


def usable_keys(ring: KeyRing, table: Table) -> tuple[list[Key], list[KeyProblem]]:
    """The keys that count, once the table was read, and what is wrong with the others.

    Where nothing opens, a key whose value has another reading too is one of a wrong length.
    """
    opened = any(table.tally.keys.values())
    doubtful = [key for key in ring.keys if key.doubtful and not opened]
    problems = [*ring.problems, *dict.fromkeys(wrong_length(key.role) for key in doubtful)]
    return [key for key in ring.keys if key not in doubtful], problems


def findings(judged: Judged, problems: Sequence[KeyProblem]) -> list[Found]:
    """Every finding with the advice that belongs to it, errors first."""
    found = [
        (Finding(code=problem.code, severity=problem.severity, message=problem.message), problem.advice)
        for problem in problems
    ]
    for look in (_columns, _keys, _sealing, _loop, _errors, _times):
        found += look(judged)
    if any(problem.severity == "error" for problem in problems):
        found = [each for each in found if each[0].code != "key_absent"]
    order = ("error", "warning", "info")
    return sorted(found, key=lambda each: order.index(each[0].severity))


def _finding(code: str, severity: Severity, message: str, advice: str, connections: int | None = None) -> Found:
    return Finding(code=code, severity=severity, message=message, connections=connections), advice


def _columns(judged: Judged) -> Iterator[Found]:
    if judged.lacking:
        roles = ", ".join(judged.lacking)
        yield _finding(
            "column_missing",
            "warning",
            f"No column of `{judged.table.columns.table}` was recognised as: {roles}.",
            f"Name the columns for {roles} under `[tokens] columns` in daan.toml.",
        )


def _keys(judged: Judged) -> Iterator[Found]:
    table = judged.table
    shut = [index for index, verdict in enumerate(judged.verdicts) if verdict == "undecryptable"]
    sealed = sum(state in SEALED for states in (table.access, table.refresh) for state in states)
    opened = sum(table.tally.keys.values())
    if not judged.keyed:
        yield _finding(
            "key_absent",
            "warning",
            "No key is at hand that can open tokens, so nothing is called undecryptable.",
            "Set TOKEN_ENCRYPTION_KEY to the portal's key, or name a file with it as `[tokens] key_file` in daan.toml.",
        )
    elif sealed and not opened:
        yield _finding(
            "key_opens_nothing",
            "error",
            "No sealed value opens: the key is not the one that they were sealed with, or was changed since.",
            "Set TOKEN_ENCRYPTION_KEY to the portal's own key, or TOKEN_ENCRYPTION_KEY_PREVIOUS to the one before it;"
            " if it is right, declare `kdf`, `aad` or `format` under `[tokens]` in daan.toml.",
            len(shut),
        )
    elif len(shut) >= ENOUGH and _all_older(judged, shut):
        yield _finding(
            "rotation_incomplete",
            "error",
            "Every connection that does not open was last refreshed before any that opens: the key was changed without"
            " sealing the older ones anew.",
            "Set TOKEN_ENCRYPTION_KEY_PREVIOUS to the key before this one, and seal those connections anew.",
            len(shut),
        )
    if table.tally.keys["previous"]:
        yield _finding(
            "previous_key_in_use",
            "info",
            "Some values open with the previous key only.",
            "Seal them anew before TOKEN_ENCRYPTION_KEY_PREVIOUS is dropped.",
        )
    if any("untried" in states for states in (table.access, table.refresh)) and judged.keyed:
        yield _finding(
            "too_many_salts",
            "warning",
            "The values carry more salts than one call makes keys for, so some were not opened.",
            "Derive the key with one salt, and declare it under `[tokens] kdf`.",
        )


def _all_older(judged: Judged, shut: list[int]) -> bool:
    table = judged.table
    closed = [at for index in shut if (at := table.success[index]) is not None]
    opening = zip(table.success, table.access, table.refresh, strict=True)
    opens = [at for at, access, refresh in opening if at is not None and access == "opened" == refresh]
    return bool(closed) and bool(opens) and max(closed) < min(opens)


def _sealing(judged: Judged) -> Iterator[Found]:
    table = judged.table
    tally = table.tally
    if tally.nonce_reuse:
        yield _finding(
            "nonce_reused",
            "error",
            f"Nonces that sealed more than one value under one key, which undoes AES-GCM: {tally.nonce_reuse}.",
            "Make 12 random bytes for each value with crypto.getRandomValues, and seal the affected tokens anew.",
        )
    if tally.copied:
        yield _finding(
            "sealed_for_another",
            "error",
            "Values that do not open in their row open in another: rows were copied, and the values are bound to theirs.",
            "Let these customers connect again, and copy no sealed values between rows.",
            tally.copied,
        )
    if table.sealed_twice:
        yield _finding(
            "sealed_twice",
            "warning",
            "Some values hold a value that is itself sealed.",
            "Find the path that seals what is sealed already.",
            len(table.sealed_twice),
        )
    if any("iv16" in name for name in tally.formats):
        yield _finding(
            "nonce_not_96_bit",
            "warning",
            "Some values have a nonce of 16 bytes; AES-GCM is made for 12.",
            "Make nonces of 12 bytes.",
        )
    sealed = [name for name in tally.formats if name not in ("plaintext", "malformed")]
    if len(sealed) > 1:
        yield _finding(
            "formats_mixed",
            "info",
            f"Values are sealed in {len(sealed)} different formats.",
            "Settle on one format, and seal the others anew when they are refreshed.",
        )


def _loop(judged: Judged) -> Iterator[Found]:
    loop = judged.loop
    if loop.state == "stuck":
        yield _finding(
            "loop_stuck",
            "error",
            f"None of {loop.served} connections was refreshed in the last {age(loop.stuck_after)}.",
            "Look at the cron trigger, the last deployment and the client secret of the portal.",
            len(loop.behind),
        )
    elif loop.state == "running" and _dies_at_a_row(judged):
        yield _finding(
            "batch_dies",
            "error",
            "In the order of ids, every connection after a certain one is behind: the batch stops at a row.",
            "Look at the first connection that is behind and the one before it; let one failure not end the batch.",
            len(loop.behind),
        )


def _dies_at_a_row(judged: Judged) -> bool:
    """Whether the rows that are behind are exactly the last ones by id."""
    loop, table = judged.loop, judged.table
    since = judged.now - loop.stuck_after
    fresh = [table.id[index] for index, at in enumerate(table.success) if at is not None and at >= since]
    behind = [table.id[index] for index in loop.behind]
    ids: list[Any] = [*fresh, *behind]
    if len(behind) < ENOUGH or len(fresh) < ENOUGH or len({type(each) for each in ids}) != 1:
        return False
    return isinstance(ids[0], int | str) and bool(max(fresh) < min(behind))


def _errors(judged: Judged) -> Iterator[Found]:
    table = judged.table
    current = {index: fault for index, fault in table.fault.items() if not superseded(table, index)}
    early = sum(fault == "too_early" for fault in current.values())
    rejected = sum(fault == "client" for fault in current.values())
    if early:
        yield _finding(
            "refresh_too_early",
            "warning",
            "Exact Online refused refreshes that came before the last access token had ended.",
            "Refresh at 570 s at the earliest, in one environment only: two loops on one application disturb each other.",
            early,
        )
    if rejected:
        yield _finding(
            "client_rejected",
            "error",
            "The provider rejects the application's client id or secret, which touches every connection.",
            "Restore the client secret of the portal (`wrangler secret put`), then watch the next refresh.",
            rejected,
        )
    hidden = sum(fault in DEAD and table.status[index] == "fine" for index, fault in current.items())
    if hidden:
        yield _finding(
            "status_contradicts",
            "warning",
            f"`{table.columns.name('status')}` calls connections well whose stored error says that they are dead.",
            "Let the refresh write the status when the provider gives a definitive error.",
            hidden,
        )


def _times(judged: Judged) -> Iterator[Found]:
    table = judged.table
    for role, units in judged.units.items():
        if len(units) > 1:
            yield _finding(
                "units_mixed",
                "warning",
                f"`{table.columns.name(role)}` is written in {' and in '.join(sorted(units))}.",
                f"Write `{table.columns.name(role)}` in one unit, and convert the other rows.",
                sum(units.values()) - max(units.values()),
            )
    wrong = len(table.mistakes) + sum(bool(off_by(judged, i)) for i in table.uneven if i not in table.mistakes)
    if wrong:
        yield _finding(
            "expiry_arithmetic",
            "warning",
            f"`{table.columns.name('expires_at')}` is not 600 s after `{table.columns.name('refreshed_at')}`, as Exact"
            " Online's `expires_in` says.",
            "Add Number(expires_in) to the moment of the refresh in one unit; Exact Online sends it as text.",
            wrong,
        )
