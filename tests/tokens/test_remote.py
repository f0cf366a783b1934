"""Remote D1: the same answer from the real engine behind Cloudflare's paths; values are opened here, the key stays."""

import os
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import apsw
import pytest

from mcp_daan.app import App
from mcp_daan.d1.databases import file_name
from mcp_daan.protocol import Answer
from mcp_daan.tools.portal import opened
from tests.canary.canaries import Canaries, readable
from tests.node.api import ACCOUNT, Api
from tests.tokens.conftest import DAY, HOUR, MINUTE, Portal, Row, ago, findings
from tests.tokens.tap import Tap

ID = "11111111-2222-3333-4444-555555555555"
EMPTY = "22222222-2222-3333-4444-555555555555"


@dataclass
class Far:
    """A portal whose database is at Cloudflare, with the wire to it."""

    portal: Portal
    api: Api
    tap: Tap
    canaries: Canaries

    @property
    def environment(self) -> dict[str, str]:
        """The portal's key and a token for Cloudflare."""
        given = {**self.api.environment, "DAAN_CLOUDFLARE_API": f"http://127.0.0.1:{self.tap.port}/client/v4"}
        return {"TOKEN_ENCRYPTION_KEY": self.portal.key.hex(), **given}

    def health(self, **arguments: Any) -> Answer:
        """What `tokens_health` answers."""
        return self.portal.health(self.environment, **arguments)


def rows_in_every_state(portal: Portal, canaries: Canaries) -> list[Row]:
    """A connection in each state, its tokens planted."""

    def row(**changes: Any) -> Row:
        sealed = {f"{kind}_token_enc": portal.seal(canaries.text("stampNL001.")) for kind in ("access", "refresh")}
        return portal.row(**{**sealed, **changes})

    same = canaries.text("stampNL001.")
    return [
        *(row() for _ in range(5)),
        row(refresh_token_enc=None),
        row(refresh_token_enc=canaries.text("stampNL001.")),
        row(access_token_enc=portal.seal(key=secrets.token_bytes(32))),
        row(access_token_enc=os.urandom(60)),
        row(
            last_error="401 unauthorized_client: Old refresh token used.",
            last_error_at=ago(MINUTE),
            refreshed_at=ago(HOUR),
        ),
        row(refresh_token_enc=portal.seal(same)),
        row(refresh_token_enc=portal.seal(same)),
        row(refreshed_at=ago(5 * HOUR)),
        row(last_error="503 Service Unavailable", last_error_at=ago(5), refresh_failures=2),
        row(refresh_token_expires_at=ago(-DAY)),
        row(refreshed_at=1795333333000),
    ]


@pytest.fixture(scope="module")
def far(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Far]:
    """One for the whole file: nothing here changes it."""
    folder = tmp_path_factory.mktemp("far")
    (folder / "workspace").mkdir()
    portal = Portal(folder / "workspace")
    canaries = Canaries()
    canaries.raw(portal.key)
    portal.file = folder / "state" / "d1" / "miniflare-D1DatabaseObject" / file_name(ID)
    portal.file.parent.mkdir(parents=True)
    rows = [{"refresh_token_expires_at": None, **row} for row in rows_in_every_state(portal, canaries)]
    portal.save(rows)
    portal.execute("CREATE TABLE api_keys (id INTEGER PRIMARY KEY, key_hash, user_id, prefix)")
    portal.execute("INSERT INTO api_keys VALUES (1, ?, 7, 'daan_live_')", canaries.text("daan_live_"))
    portal.execute("CREATE TABLE users (id INTEGER PRIMARY KEY)")
    portal.execute("CREATE TABLE oauth_states (state TEXT PRIMARY KEY, created_at) WITHOUT ROWID")
    portal.execute("INSERT INTO oauth_states VALUES (?, ?)", canaries.text(), ago(DAY))
    text = f'[d1.databases.portal]\nid = "{ID}"\naccount_id = "{ACCOUNT}"\n[d1.databases.empty]\nid = "{EMPTY}"\n'
    (portal.workspace / "daan.toml").write_text(text, encoding="utf-8")
    api = Api(folder / "state", {"portal": ID, "empty": EMPTY}, {"reads-everything-0123456789abcdefghijklmnop": ["*"]})
    tap = Tap(api.port)
    yield Far(portal, api, tap, canaries)
    tap.close()
    api.end()


def local_copy(far: Far, workspace: Path) -> Portal:
    """The same rows in a local file."""
    near = Portal(workspace)
    near.key = far.portal.key
    near.file.write_bytes(far.portal.file.read_bytes())
    return near


def test_the_answer_is_the_same_as_that_of_a_local_copy(far: Far, workspace: Path) -> None:
    """Every verdict, count, finding and check; only the place and the credentials differ."""
    there = far.health(database="portal")
    here = local_copy(far, workspace).health()
    near, distant = (
        {
            **answer.data,
            "cloudflare": None,
            "findings": [f for f in answer.data["findings"] if "cloudflare" not in f["code"]],
        }
        for answer in (here, there)
    )

    assert there.error is None
    assert near == distant
    assert {"owner_alive", "stored_hashed"} <= {
        check["code"] for check in there.data["apiKeys"]["checks"] if not check["ok"]
    }
    assert {"states_left", "chain_broken", "units_mixed"} <= set(findings(there))
    assert there.artifacts == ["d1://portal"]


def test_the_key_and_the_tokens_never_leave(far: Far) -> None:
    """Every byte that was sent, searched for the key, each token and each ciphertext, in every form."""
    far.health(database="portal")
    far.health(database="portal", state="healthy", limit=2)
    sent = bytes(far.tap.sent)

    assert sent.count(b"POST ") >= 8
    assert b"reads-everything" in sent
    assert far.canaries.found_in(readable(sent)) == []


def test_only_reading_statements_are_sent(far: Far) -> None:
    """Nothing but SELECT, and no value of ours in any."""
    far.health(database="portal")

    assert {statement.split()[0] for statement in far.api.statements} == {"SELECT"}


def test_our_own_questions_to_the_copy_of_the_schema_are_guarded_too(far: Far) -> None:
    """A mistake of ours must not change what a statement means."""
    app = App(str(far.portal.workspace), far.environment)
    with opened(app, app.database("portal")) as source, pytest.raises(apsw.AuthError):
        source.schema.execute("PRAGMA query_only = 0")
    app.close()


def test_the_one_remote_database_with_connections_is_found_when_nothing_is_local(far: Far) -> None:
    """As locally: the other one has no such table."""
    assert far.health().artifacts == ["d1://portal"]


def test_pages_are_the_same_remotely(far: Far) -> None:
    """Each connection once."""
    whole = far.health(database="portal")
    first = far.health(database="portal", limit=9)
    second = far.health(database="portal", limit=9, cursor=first.data["nextCursor"])

    assert whole.data["connections"] == first.data["connections"] + second.data["connections"]


def test_a_table_without_rowids_and_text_that_is_not_utf_8_are_read_too(far: Far, workspace: Path) -> None:
    """In one answer, and as bytes."""
    copy = local_copy(far, workspace)
    copy.execute("UPDATE connections SET provider = CAST(x'ff41' AS TEXT) WHERE id = 1")
    state = workspace / "state"
    place = state / "d1" / "miniflare-D1DatabaseObject" / file_name(ID)
    place.parent.mkdir(parents=True)
    copy.file.replace(place)
    (workspace / "daan.toml").write_text(f'[d1.databases.portal]\nid = "{ID}"\n', encoding="utf-8")
    api = Api(state, {"portal": ID}, {"reads-everything-0123456789abcdefghijklmnop": ["*"]})
    try:
        answer = copy.health({"TOKEN_ENCRYPTION_KEY": copy.key.hex(), **api.environment}, database="portal")
    finally:
        api.end()
    whole = far.health(database="portal")

    assert answer.error is None
    assert answer.data["counts"] == whole.data["counts"]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"CLOUDFLARE_API_TOKEN": ""}, "unavailable"),
        ({"CLOUDFLARE_API_TOKEN": "another-token-0123456789abcdefghijklm"}, "rejected_credentials"),
        ({"DAAN_CLOUDFLARE_API": "http://127.0.0.1:1/client/v4", "DAAN_LIMITS_REQUEST_SECONDS": "1"}, "unavailable"),
        ({"DAAN_CLOUDFLARE_API": "http://example.com/client/v4"}, "invalid_arguments"),
    ],
)
def test_what_cannot_be_reached_fails_in_our_own_words(far: Far, changes: dict[str, str], code: str) -> None:
    """And with advice; nothing secret is said."""
    answer = far.portal.health({**far.environment, **changes}, database="portal")

    assert answer.error is not None
    assert (answer.error.code, len(answer.recommendations)) == (code, 1)
    assert far.canaries.found_in(answer.model_dump_json()) == []
    assert "another-token" not in answer.model_dump_json()


def test_progress_is_told_remotely_too(far: Far) -> None:
    """With the total."""
    far.portal.progress.clear()
    far.health(database="portal")

    assert far.portal.progress == [(16, 16, "connections judged")]
