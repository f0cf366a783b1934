"""No secret leaves, by any path: canaries are planted everywhere, and every byte of answers and logs is searched."""

import base64
import hashlib
import json
import logging
import os
import secrets
from typing import Any

import pytest

from mcp_daan.protocol import Answer
from mcp_daan.toolbox import tools_in
from mcp_daan.tools import tokens
from tests.asking import run
from tests.canary.canaries import Canaries
from tests.tokens.conftest import DAY, HOUR, NOW, Portal, Row, ago


@pytest.fixture
def canaries() -> Canaries:
    """Nothing planted yet."""
    return Canaries()


@pytest.fixture
def emitted(caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> Any:
    """Everything that the process said, with what an answer says."""
    caplog.set_level(logging.DEBUG)

    def said(*answers: Answer) -> str:
        out, err = capfd.readouterr()
        return "\n".join([out, err, caplog.text, *(json.dumps(answer.model_dump(by_alias=True)) for answer in answers)])

    return said


def planted(portal: Portal, canaries: Canaries) -> list[Row]:
    """A row in each state, with a canary in every place that could hold a secret."""
    canaries.raw(portal.key)
    lost = canaries.raw(secrets.token_bytes(32))

    def seal(shape: str = "stampNL001.", **how: Any) -> str:
        sealed = portal.seal(canaries.text(shape), **how)
        canaries.raw(base64.b64decode(sealed))
        canaries.planted.append(sealed.encode())
        return sealed

    def row(**changes: Any) -> Row:
        return portal.row(**{"access_token_enc": seal(), "refresh_token_enc": seal("rt-"), **changes})

    double = portal.seal(seal())
    copied = seal()
    nonce = os.urandom(12)
    return [
        row(external_user_id=canaries.text()),
        row(refresh_token_enc=None),
        row(refresh_token_enc=canaries.text("stampNL001.")),
        row(access_token_enc=canaries.text("plain-access-token-")),
        row(access_token_enc=canaries.text("eyJhbGciOiJub25lIn0.eyJ") + "."),
        row(access_token_enc=seal(key=lost)),
        row(access_token_enc=seal()[:30]),
        row(access_token_enc=f"v1:{canaries.text()}:{canaries.text()}"),
        row(access_token_enc='{"iv": "' + canaries.text() + '", "data": "' + canaries.text()),
        row(access_token_enc=canaries.raw(os.urandom(60))),
        row(refresh_token_enc=double),
        row(refresh_token_enc=copied),
        row(refresh_token_enc=copied, last_error=f"invalid_grant {canaries.text('stampNL001.')}"),
        row(access_token_enc=seal(nonce=nonce), refresh_token_enc=seal(nonce=nonce)),
        row(last_error=canaries.text("Old refresh token used. ")),
        row(refreshed=5 * HOUR, status=canaries.text()),
        row(refreshed=40 * DAY, last_error_at=canaries.text()),
        row(refreshed_at=canaries.text()),
        row(access_expires_at=canaries.text()),
        row(refresh_failures=canaries.text()),
    ]


def keys_table(portal: Portal, canaries: Canaries) -> None:
    """API keys in plain and as digests."""
    portal.execute("CREATE TABLE api_keys (id, user_id, prefix, key_hash, secret, scopes, last_used_at, expires_at)")
    for _ in range(3):
        plain = canaries.text("daan_live_")
        digest = hashlib.sha256(plain.encode()).hexdigest()
        canaries.planted.append(digest.encode())
        portal.execute(
            "INSERT INTO api_keys VALUES (1, 1, 'daan_live_', ?, ?, ?, ?, ?)", digest, plain, plain, plain, plain
        )


@pytest.mark.parametrize("with_key", ["right", "none", "wrong", "short", "as previous"])
def test_nothing_secret_shows_in_any_verdict(portal: Portal, canaries: Canaries, emitted: Any, with_key: str) -> None:
    """Whatever the key, each page and each filter."""
    portal.save(planted(portal, canaries))
    keys_table(portal, canaries)
    given = {
        "right": {"TOKEN_ENCRYPTION_KEY": portal.key.hex()},
        "none": {},
        "wrong": {"TOKEN_ENCRYPTION_KEY": canaries.raw(secrets.token_bytes(32)).hex()},
        "short": {"TOKEN_ENCRYPTION_KEY": canaries.text(), "TOKEN_ENCRYPTION_KEY_PREVIOUS": canaries.text()},
        "as previous": {"TOKEN_ENCRYPTION_KEY_PREVIOUS": base64.b64encode(portal.key).decode()},
    }[with_key]
    answers = [portal.health(given), portal.health(given, limit=3), portal.health(given, state="plaintext_at_rest")]
    said = emitted(*answers)

    assert [answer.error for answer in answers] == [None] * 3
    assert canaries.found_in(said) == []


@pytest.mark.parametrize("kind", ["kdf", "aad", "columns", "format", "encoding", "key_file"])
def test_nothing_secret_shows_when_a_declaration_is_wrong(
    portal: Portal, canaries: Canaries, emitted: Any, kind: str
) -> None:
    """Declared so that nothing opens, or so that the call fails."""
    portal.save(planted(portal, canaries))
    (portal.workspace / "key").write_text(canaries.text(), encoding="utf-8")
    portal.declare(
        "[tokens]\n"
        + {
            "kdf": 'kdf = "sha256"',
            "aad": 'aad = "{id}:{provider}"',
            "columns": 'columns = { provider = "nowhere" }',
            "format": 'format = "hex iv:tag:ct"',
            "encoding": 'key_encoding = "utf8"',
            "key_file": 'key_file = "key"',
        }[kind]
    )
    answer = portal.health({} if kind == "key_file" else None)

    assert canaries.found_in(emitted(answer)) == []


def test_nothing_secret_shows_when_the_call_fails(portal: Portal, canaries: Canaries, emitted: Any) -> None:
    """A damaged file, a wrong argument, a fault of the server's own."""
    rows = planted(portal, canaries)
    portal.save(rows * 20)
    fault = canaries.text()
    app = portal.app()

    def breaks(done: float, total: float | None, message: str) -> None:
        raise RuntimeError(fault)

    app.progress = breaks
    answers = [run(tools_in(tokens)["tokens_health"], app, {})]
    app.close()
    answers += [portal.health(database=canaries.text()), portal.health(cursor=canaries.text())]
    answers += [portal.health(**{canaries.text()[:30]: 1})]
    canaries.planted.pop()  # the name of an unknown argument is the caller's, and is repeated
    whole = portal.file.read_bytes()
    portal.file.write_bytes(whole[: len(whole) // 2])
    answers.append(portal.health())

    assert [answer.status for answer in answers] == ["failed"] * 5
    assert canaries.found_in(emitted(*answers)) == []


@pytest.mark.parametrize("column", ["access_token_enc", "refresh_token_enc"])
@pytest.mark.parametrize("role", ["id", "provider"])
def test_a_secret_column_declared_as_one_that_is_shown_stays_hidden(
    portal: Portal, canaries: Canaries, emitted: Any, role: str, column: str
) -> None:
    """Nor can it be guessed by filtering."""
    rows = planted(portal, canaries)
    portal.save(rows)
    portal.declare(f'[tokens.columns]\n{role} = "{column}"\n')
    answer = portal.health()
    asked = portal.health(provider=str(rows[0][column])[:100])

    assert {each[role] for each in answer.data["connections"]} == {None}
    assert role != "provider" or sum(asked.data["counts"].values()) == 0
    assert canaries.found_in(emitted(answer, asked)) == []


def test_a_generated_column_that_shows_a_token_stays_hidden(portal: Portal, canaries: Canaries, emitted: Any) -> None:
    """Whatever it is called."""
    portal.execute(
        "CREATE TABLE connections (number, id TEXT AS (substr(access_token_enc, 1, 90)) STORED, access_token_enc,"
        " refresh_token_enc, provider TEXT AS (lower(refresh_token_enc)) STORED, refreshed_at)"
    )
    for row in planted(portal, canaries):
        values = [row[name] for name in ("access_token_enc", "refresh_token_enc", "refreshed_at")]
        portal.execute("INSERT INTO connections VALUES (1, ?, ?, ?)", *values)
    answer = portal.health()

    assert {(each["id"], each["provider"]) for each in answer.data["connections"]} == {(None, None)}
    assert canaries.found_in(emitted(answer)) == []


def test_a_table_whose_key_is_a_secret_is_known_by_its_rowid(portal: Portal, canaries: Canaries, emitted: Any) -> None:
    """The digest of a token as primary key."""
    portal.execute("CREATE TABLE connections (token_hash TEXT PRIMARY KEY, access_token)")
    portal.execute("INSERT INTO connections VALUES (?, NULL)", canaries.text())
    answer = portal.health()

    assert [each["id"] for each in answer.data["connections"]] == [1]
    assert canaries.found_in(emitted(answer)) == []


def test_a_number_that_is_key_and_secret_is_not_shown_as_rowid(portal: Portal) -> None:
    """`rowid` is another name of an INTEGER PRIMARY KEY."""
    portal.execute("CREATE TABLE connections (otp INTEGER PRIMARY KEY, access_token)")
    portal.execute("INSERT INTO connections VALUES (918273645, NULL)")

    assert "918273645" not in portal.health().model_dump_json()


def test_columns_that_the_settings_call_secret_are_not_shown(portal: Portal, canaries: Canaries, emitted: Any) -> None:
    """`[d1] secret_columns` holds here too."""
    guess = canaries.text()
    portal.save([portal.row(provider=guess) for _ in range(2)])
    portal.declare('[d1]\nsecret_columns = ["connections.provider"]\n')
    answer = portal.health()

    assert sum(portal.health(provider=guess).data["counts"].values()) == 0

    assert {each["provider"] for each in answer.data["connections"]} == {None}
    assert canaries.found_in(emitted(answer)) == []


def test_opened_tokens_are_in_none_of_the_objects_that_are_kept(portal: Portal, canaries: Canaries) -> None:
    """What a call keeps of the rows are numbers, moments and names."""
    from mcp_daan.tokens.columns import recognise
    from mcp_daan.tokens.keys import KeyRing, read_key
    from mcp_daan.tokens.table import Table
    from mcp_daan.tokens.verdicts import judge

    rows = planted(portal, canaries)
    names = [name for name in rows[0] if name != "provider"]
    columns = recognise("connections", names, {}, None)
    key = read_key("current", portal.key.hex())
    table = Table(columns, KeyRing((key,)))  # type: ignore[arg-type]
    ordered = [columns.by_role[role] for role in columns.roles]
    table.add([[row[name] for name in ordered] for row in rows])
    table.finish()
    judged = judge(table, now=NOW.timestamp(), period=300, declared=False, keyed=True)
    kept = (
        repr(vars(table))
        + repr(judged)
        + repr(vars(table.tally))
        + repr([vars(each) for each in table._openers.values()])
    )
    of_tokens = Canaries()
    of_tokens.planted = [value for value in canaries.planted if value.startswith(b"stamp")]

    assert of_tokens.planted
    assert of_tokens.found_in(kept) == []
    assert ago(0)
