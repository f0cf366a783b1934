"""Any value in any column: the answer stays whole, and every connection is counted."""

import os
import random
import secrets
from typing import Any

import pytest

from tests.tokens.conftest import DAY, HOUR, MINUTE, NOW, Portal, ago

OPTIONAL = (
    "refresh_token_expires_at last_used_at created_at updated_at is_active deleted_at expires_in client_id error_code"
    " http_status refresh_token access_token access_token_iv access_token_tag"
).split()
DECLARATIONS = (
    "",
    '[tokens]\naad = "{id}{provider}{user}"',
    '[tokens]\nkdf = "sha256"',
    '[tokens]\nkdf = { name = "pbkdf2", iterations = 1 }',
    '[tokens]\nformat = "hex iv:tag:ct"',
    '[tokens.columns]\nrefresh_token = ["refresh_token_enc", "status", "provider"]',
)
ROWS = 30


def odd_values(portal: Portal, chance: random.Random) -> list[Any]:
    """Values of every type and of forms that are nearly right."""
    return [
        None, "", 0, 1, -5, 2**62, 1.5, float("inf"), -1e300, b"", os.urandom(5), os.urandom(70), "x" * 3000, "\x00a",
        "{}", "[]", '{"iv":"aa","data":"bb"}', '{"iv":{"type":"Buffer","data":[1,300]},"data":[1]}', "::", ".....", "v1:",
        "enc:enc:enc:", "eyJ....", "eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIn0....", "1795367424600", "9" * 400, "403",
        "2026-11-22", "2026-W47-7", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "20261122", "²²", "true",
        portal.seal(""), portal.seal("\x00"), portal.seal(portal.seal(portal.seal())), secrets.token_urlsafe(40),
        ago(chance.uniform(-1e6, 1e7)), int(NOW.timestamp() * 10 ** chance.choice((0, 3, 6, 9))), "é" * 20, "ab" * 28,
        "=" * 40, '{"a":' * 2000, "status 200",
    ]  # fmt: skip


@pytest.mark.parametrize("declared", DECLARATIONS)
@pytest.mark.parametrize("seed", range(4))
def test_no_mixture_of_values_breaks_the_answer(portal: Portal, seed: int, declared: str) -> None:
    """Whatever stands in the rows, which columns there are and what is declared; with the key and without."""
    chance = random.Random(seed)
    odd = odd_values(portal, chance)
    names = [*portal.row(), *OPTIONAL]
    rows = []
    for _ in range(ROWS):
        row = dict.fromkeys(names) | portal.row(refreshed=chance.choice((30, MINUTE, HOUR, DAY, 25 * DAY, 40 * DAY)))
        rows.append({name: chance.choice(odd) if chance.random() < 0.2 else value for name, value in row.items()})
    portal.save(rows, without=tuple(chance.sample(OPTIONAL, 6)))
    portal.declare(declared)

    for environment in (None, {}, {"TOKEN_ENCRYPTION_KEY": "passphrase"}):
        answer = portal.health(environment, limit=1000)
        assert answer.error is None
        assert sum(answer.data["counts"].values()) == ROWS


def test_bytes_of_chance_are_no_token_in_plain(portal: Portal) -> None:
    """Some hold a dash or an underscore, which in text would tell another alphabet."""
    odd = [b"\xff-" + os.urandom(88), b"_\x00" + os.urandom(88)]
    verdicts = portal.verdicts([portal.row(access_token_enc=each) for each in odd] + portal.rows(5))

    assert [verdicts[1], verdicts[2]] == ["undecryptable"] * 2
