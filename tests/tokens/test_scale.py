"""A hundred thousand connections in one call."""

import base64
import os
import time

import apsw
import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from mcp_daan.tools.tokens import tokens_health
from tests.tokens.conftest import Portal, ago

COUNT = 100_000
AS_OFTEN = 3


@pytest.mark.long
def test_a_hundred_thousand_connections_take_at_most_three_times_the_bare_floor(portal: Portal) -> None:
    """The floor: read the rows and open both values, nothing else. Counts stay exact."""
    cipher = AESGCM(portal.key)
    database = apsw.Connection(str(portal.file))
    names = [name for name in portal.row() if name not in ("access_token_enc", "refresh_token_enc")]
    columns = "id INTEGER PRIMARY KEY, access_token_enc, refresh_token_enc, " + ", ".join(names)
    database.execute(f"CREATE TABLE connections ({columns})")
    model = portal.row()
    with database:
        for number in range(COUNT):
            values = [base64.b64encode(os.urandom(12)).decode() for _ in range(2)]
            for place, nonce in enumerate(os.urandom(24)[at : at + 12] for at in (0, 12)):
                token = f"stampNL001.{number:06}!{'x' * 80}{place}".encode()
                values[place] = base64.b64encode(nonce + cipher.encrypt(nonce, token, None)).decode()
            late = number % 100 == 0
            row = {**model, "external_user_id": str(number), "refreshed_at": ago(9000 if late else 60 + number % 300)}
            database.execute(
                f"INSERT INTO connections VALUES ({','.join('?' * (3 + len(names)))})",
                [number, *values, *(row[name] for name in names)],
            )

    def floor() -> None:
        for _, *stored in database.execute("SELECT id, access_token_enc, refresh_token_enc FROM connections"):
            for value in stored:
                raw = base64.b64decode(value)
                cipher.decrypt(raw[:12], raw[12:], None)

    app = portal.app()
    floors, calls = [], []
    for _ in range(AS_OFTEN):
        start = time.process_time()
        floor()
        floors.append(time.process_time() - start)
        start = time.process_time()
        data = tokens_health(app, limit=50).data
        calls.append(time.process_time() - start)
    app.close()
    database.close()

    assert (data.counts["healthy"], data.counts["refresh_stuck"]) == (COUNT * 99 // 100, COUNT // 100)
    assert data.crypto.keys == {"current": 2 * COUNT, "previous": 0}
    assert min(calls) <= 3 * min(floors)
