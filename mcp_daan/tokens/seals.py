"""What the sealed values show together: the wrong key, a rotation half done, nonces used twice, copies."""

import re
from collections.abc import Iterator

from mcp_daan.tokens.finding import ENOUGH, Found, found
from mcp_daan.tokens.stored import State
from mcp_daan.tokens.verdicts import Judged
from mcp_daan.tokens.wording import odd_content

SEALED: frozenset[State] = frozenset({"opened", "empty", "unopened", "untried"})
# `v1:`, `enc:v2:` or `k3.` before a value.
VERSION = re.compile(r"(?:[a-z0-9-]+[:.$|])*?([vk]\d{1,4})[:.$|]")
CONNECT_AGAIN = "Let these customers connect again"


def keys(judged: Judged) -> Iterator[Found]:
    """What is to be said of the keys."""
    table = judged.table
    shut = [index for index, verdict in enumerate(judged.verdicts) if verdict == "undecryptable"]
    sealed = sum(state in SEALED for states in (table.access, table.refresh) for state in states)
    if not judged.keyed:
        yield found(
            "key_absent",
            "warning",
            "No key is at hand that can open tokens, so nothing is called undecryptable.",
            "Set TOKEN_ENCRYPTION_KEY to the portal's key, or name a file with it as `[tokens] key_file` in daan.toml.",
        )
    elif sealed and not any(table.tally.keys.values()):
        yield found(
            "key_opens_nothing",
            "error",
            "No sealed value opens: the key is not the one that they were sealed with, or was changed since.",
            "Set TOKEN_ENCRYPTION_KEY to the portal's own key, or TOKEN_ENCRYPTION_KEY_PREVIOUS to the one before it;"
            " if it is right, declare `kdf`, `aad` or `format` under `[tokens]` in daan.toml.",
            len(shut),
        )
    else:
        yield from _versions(judged)
        if len(shut) >= ENOUGH:
            yield from _rotation(judged, shut)
    if table.tally.keys["previous"]:
        yield found(
            "previous_key_in_use",
            "info",
            "Some values open with the previous key only.",
            "Seal them anew before TOKEN_ENCRYPTION_KEY_PREVIOUS is dropped.",
        )
    if any("untried" in states for states in (table.access, table.refresh)) and judged.keyed:
        yield found(
            "too_many_salts",
            "warning",
            "The values carry more salts than one call makes keys for, so some were not opened.",
            "Derive the key with one salt, and declare it under `[tokens] kdf`.",
        )


def _versions(judged: Judged) -> Iterator[Found]:
    """Key versions that values name, `v2:` before them, and under which nothing opens although others do."""
    table = judged.table
    opened = {
        version[1] for name in table.formats("access") | table.formats("refresh") if (version := VERSION.match(name))
    }
    named = {version[1] for name in table.tally.formats if (version := VERSION.match(name))}
    if opened and named - opened:
        unknown = sorted(named - opened)
        yield found(
            "key_version_unknown",
            "error",
            f"Values name a key version of which none opens: {', '.join(unknown)}; those of {', '.join(sorted(opened))} do.",
            "Find that version's key, and set it as TOKEN_ENCRYPTION_KEY or TOKEN_ENCRYPTION_KEY_PREVIOUS.",
        )


def _rotation(judged: Judged, shut: list[int]) -> Iterator[Found]:
    """Whether one moment parts the connections that open from those that do not."""
    table = judged.table
    closed = [at for index in shut if (at := table.success[index]) is not None]
    opening = zip(table.success, table.access, table.refresh, strict=True)
    opens = [at for at, access, refresh in opening if at is not None and access == "opened" == refresh]
    if not closed or not opens:
        return
    if max(closed) < min(opens):
        yield found(
            "rotation_incomplete",
            "error",
            "Every connection that does not open was last refreshed before any that opens: the key was changed without"
            " sealing the older ones anew.",
            "Set TOKEN_ENCRYPTION_KEY_PREVIOUS to the key before this one, and seal those connections anew.",
            len(shut),
        )
    elif max(opens) < min(closed):
        yield found(
            "key_outdated",
            "error",
            "Every connection that does not open was refreshed after all that open: the portal seals with a newer key"
            " than the one at hand.",
            "Set TOKEN_ENCRYPTION_KEY to the portal's key of now, and this one as TOKEN_ENCRYPTION_KEY_PREVIOUS.",
            len(shut),
        )


def seals(judged: Judged) -> Iterator[Found]:
    """What is to be said of how values are sealed, and of what they hold."""
    yield from _nonces(judged)
    yield from _copies(judged)
    yield from _contents(judged)
    table = judged.table
    roles = {"refresh": "tokens"} if "tokens" in table.columns else {r: f"{r}_token" for r in ("access", "refresh")}
    mixed = [table.columns.name(column) for role, column in roles.items() if len(table.formats(role)) > 1]
    if mixed:
        yield found(
            "formats_mixed",
            "info",
            f"Values of one column are sealed in different formats: `{'`, `'.join(mixed)}`.",
            "Settle on one format, and seal the others anew when they are refreshed.",
        )


def _nonces(judged: Judged) -> Iterator[Found]:
    tally = judged.table.tally
    if tally.nonce_reuse:
        yield found(
            "nonce_reused",
            "error",
            f"Nonces that sealed more than one value under one key, which undoes AES-GCM: {tally.nonce_reuse}.",
            "Make 12 random bytes for each value with crypto.getRandomValues, and seal the affected tokens anew.",
        )
    if tally.zero_nonces:
        yield found(
            "nonce_all_zero",
            "error",
            f"Values that were sealed with a nonce of zeros: {tally.zero_nonces}.",
            "Fill the nonce with crypto.getRandomValues before sealing, and seal these tokens anew.",
        )
    if any("iv16" in name for name in tally.formats):
        yield found(
            "iv_not_96_bit",
            "warning",
            "Some values have a nonce of 16 bytes; AES-GCM is made for 12.",
            "Make nonces of 12 bytes.",
        )


def _copies(judged: Judged) -> Iterator[Found]:
    table = judged.table
    if table.tally.duplicates:
        yield found(
            "duplicate_ciphertext",
            "warning",
            f"Sealed values that are stored more than once, letter for letter: {table.tally.duplicates}.",
            "Find out what copies rows; two connections with one refresh token end each other.",
        )
    copied = max(table.tally.copied, len(table.moved))
    if copied:
        yield found(
            "sealed_for_another",
            "error",
            "Values that do not open in their row open in another: rows were copied, and the values are bound to theirs.",
            f"{CONNECT_AGAIN}, and copy no sealed values between rows.",
            copied,
        )


def _contents(judged: Judged) -> Iterator[Found]:
    table = judged.table
    if table.sealed_twice:
        yield found(
            "sealed_twice",
            "warning",
            "Some values hold a value that is itself sealed.",
            "Find the path that seals what is sealed already.",
            len(table.sealed_twice),
        )
    empty = sum("empty" in states for states in zip(table.access, table.refresh, strict=True))
    if empty:
        yield found(
            "empty_plaintext",
            "warning",
            "Some values open to nothing, or to a word such as `undefined`.",
            f"{CONNECT_AGAIN}, and let the portal refuse to seal what is no token.",
            empty,
        )
    odd = sum(odd_content(judged, index) for index in table.odd)
    if odd:
        yield found(
            "unlike_a_token",
            "warning",
            "Some values open to what has not the form of Exact Online's tokens, unlike their neighbours.",
            "Look at what the portal seals there: a whole answer, quotes round the token, or another provider's token.",
            odd,
        )
