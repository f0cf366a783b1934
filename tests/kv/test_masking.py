"""No secret leaves KV: not in a name, a value or metadata."""

import base64
import hashlib
import json
import secrets
from typing import Any

import pytest

from mcp_daan.scrub import MASK
from mcp_daan.workers.kv.devalue import flattened, whole
from mcp_daan.workers.kv.masking import Masking, random_looking
from mcp_daan.workers.kv.value import READ_BYTES
from tests.node.kv import put

from .conftest import CACHE, OAUTH, SESSION, Portal

PLAIN = Masking()
SECRET = "hunter2-is-my-secret"
HASH = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
UUID = "550e8400-e29b-41d4-a716-446655440000"
SEALED = base64.b64encode(bytes(range(60))).decode()


@pytest.mark.parametrize(
    ("name", "labels", "shown"),
    [
        ("page:1", [], "page:1"),
        ("config/portal/theme", [], "config/portal/theme"),
        ("user:12:avatar", [], "user:12:avatar"),
        (f"user:{UUID}", [], f"user:{UUID}"),
        ("user:1:refresh_token", [], "user:1:refresh_token"),
        ("tokens_count:2026", [], "tokens_count:2026"),
        ("session_ttl", [], "session_ttl"),
        ("grant:u-1:abc", [], "grant:***"),
        ("Token:u-1:abc:def", [], "Token:***"),
        ("client:abc", [], "client:***"),
        ("transaction:abc", [], "transaction:***"),
        ("session:abc", [], "session:***"),
        ("app:sessions:abc:data", [], "app:sessions:***"),
        ("password-reset/abc", [], "password-reset/***"),
        ("magicLink:abc", [], "magicLink:***"),
        ("api_key:abc", [], "api_key:***"),
        (HASH, [], MASK),
        (f"cache:{HASH}", [], f"cache:{MASK}"),
        (UUID, [], UUID),
        (UUID, ["SESSION"], MASK),
        (f"portal:{UUID}", ["SESSION@production"], f"portal:{MASK}"),
        ("a1b2c3d4e5f6a7b8", ["portal-sessions"], MASK),
        ("settings", ["SESSION"], "settings"),
        ("https://portal.example/reset/abc", [], "https://portal.example/reset/***"),
        (
            "this-is-quite-a-long-slug-from-2026-about-something",
            [],
            "this-is-quite-a-long-slug-from-2026-about-something",
        ),
    ],
)
def test_names_that_open_a_door_are_masked_from_there_on(name: str, labels: list[str], shown: str) -> None:
    """And nothing else is: an agent finds its way by names."""
    assert PLAIN.name(name, labels) == shown


@pytest.mark.parametrize(
    "value",
    [
        {"access_token": SECRET},
        {"user": {"name": "Jan", "auth": [{"refreshToken": SECRET}]}},
        {"password": {"deep": [SECRET]}},
        {"otp": SECRET, "sessionId": SECRET, "csrf": SECRET},
        [{"name": "sid", "value": SECRET}],
        {"key": "API_TOKEN", "value": SECRET},
        [["access_token", SECRET], ["page", "1"]],
        {"body": json.dumps({"token": SECRET})},
        {"body": json.dumps({"body": json.dumps({"token": SECRET})})},
        {"query": f"grant_type=x&client_secret={SECRET}&a=b"},
        {"log": f"refresh failed: refresh_token={SECRET} at: token = '{SECRET}'"},
        {"header": f"Authorization: Bearer {SECRET}"},
        {"env": f'A=1\nAPI_TOKEN="{SECRET}"\nB=2'},
        {"url": f"https://portal.example/callback?code=1&access_token={SECRET}#x"},
        {"url": f"https://portal.example/magic/{SECRET}"},
        [["Map", 1, 2], "user", {"data": 3}, {"access_token": 4, "name": 5}, SECRET, "Jan"],
        {"authorization": [SECRET]},
        {"encryptedProps": SECRET, "wrappedKey": SECRET},
        {f"session:{SECRET}": 1},
    ],
)
def test_no_form_of_keeping_a_secret_under_a_name_shows_it(value: Any) -> None:
    """Nested, in pairs, in text, in JSON in a string, as Astro keeps sessions."""
    assert SECRET not in json.dumps(PLAIN.json(value))
    assert SECRET not in PLAIN.text(json.dumps(value))


@pytest.mark.parametrize(
    "text",
    [
        SEALED,
        f"enc:v1:{SEALED}",
        f"v1:{SEALED}:{SEALED}",
        f"{SEALED[:20]}.{SEALED}",
        HASH,
        "0011223344556677889900aa:00112233445566778899aabbccddeeff:0a1b2c3d4e5f60718293",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N",
        "sk_live_" + "4eC39HqLyjWDarjtT1zdp7dc",
        "-----BEGIN PRIVATE KEY-----\nMIIEvQ\n-----END PRIVATE KEY-----",
    ],
)
def test_a_value_that_looks_like_a_secret_is_masked_wherever_it_stands(text: str) -> None:
    """Whole, in a list, under any name."""
    assert PLAIN.text(text) == MASK
    assert PLAIN.json({"note": [text]}) == {"note": [MASK]}


@pytest.mark.parametrize(
    "value",
    [
        {"name": "Jan", "tokens_count": 3, "token_type": "bearer", "expires": 1, "api_url": "https://a.example/b?c=d"},
        {"rows": [[1, 0], [0, 1]], "ratio": 0.25, "none": None, "yes": True, "text": "a = b, c: d"},
        ["2026-11-22T12:00:00.000Z", UUID, "https://cdn.example/assets/index-Bx71k2.js", "note: none"],
        {"lesson": "This is a sentence that is long enough to be taken for something else, in 2026."},
        {"name": "theme", "value": "dark"},
        [["a", 1], ["b", 2]],
        {"secret": None, "token": False},
        {"grantTypes": ["authorization_code", "refresh_token"]},
    ],
)
def test_what_is_no_secret_stays_as_it_is(value: Any) -> None:
    """A mask over everything would help nobody."""
    assert PLAIN.json(value) == value
    assert PLAIN.text(json.dumps(value)) == json.dumps(value)


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "piece",
    [
        "y",
        "1",
        "-",
        "a1",
        "a=",
        "token=",
        'token="',
        "token='",
        "eyJ",
        "A",
        "aB",
        "://",
        ":",
        "[",
        '{"a":',
        '\\"',
        " ",
        "-----BEGIN PRIVATE KEY-----",
    ],
)
def test_no_text_takes_long_to_mask(piece: str) -> None:
    """As much as is read of a value, bare and in JSON; a pattern that looks ahead from every place would take for ever."""
    text = piece * (READ_BYTES // len(piece))
    PLAIN.text(text)
    PLAIN.json({"a": [text[:1000]] * 100, text[:100_000]: {"name": text}})


@pytest.mark.timeout(60)
def test_many_names_that_are_masked_stay_apart_and_take_no_time() -> None:
    """Each hash that is a name becomes a name of its own."""
    value = {hashlib.sha256(str(number).encode()).hexdigest(): number for number in range(12_000)}
    shown = PLAIN.json(value)

    assert (len(shown), set(shown.values()) == set(value.values())) == (12_000, True)
    assert [name for name in shown if not name.startswith(MASK)] == []


def test_random_values_of_every_common_form_are_taken_for_secrets() -> None:
    """Keys and hashes of 32 bytes, in hex and both base64 alphabets."""
    missed = [
        text
        for _ in range(300)
        for raw in [secrets.token_bytes(32)]
        for text in (raw.hex(), base64.b64encode(raw).decode(), secrets.token_urlsafe(48))
        if not random_looking(text)
    ]

    assert len(missed) <= 30


def test_sessions_as_astro_keeps_them_are_put_together_again() -> None:
    """Text belongs to a name only then."""
    value = [["Map", 1, 2], "cart", {"data": 3, "expires": 6}, [4, 5], "a", "b", ["Date", "2026-11-22T00:00:00Z"]]

    assert flattened(value) is True
    assert whole(value) == {"cart": {"data": ["a", "b"], "expires": "2026-11-22T00:00:00Z"}}


@pytest.mark.parametrize(
    "value",
    [
        [{"a": 0}],
        [[*range(1, 9)], *([[n] * 9 for n in range(2, 10)]), {"end": 10}, "x"],
        [{"a": 1}, ["Map", 2, 1], "k"],
    ],
)
def test_sessions_that_go_in_circles_or_swell_are_masked_whole(value: list[Any]) -> None:
    """A few bytes could stand for more than memory holds."""
    assert not flattened(value) or PLAIN.json(value) in (MASK, value)


def test_what_an_oauth_provider_keeps_is_masked_but_for_what_is_harmless(portal: Portal) -> None:
    """User ids, hashes of tokens and codes, wrapped keys; in names, values and metadata."""
    grant = {
        "id": "grant-id-1",
        "clientId": "client-1",
        "userId": "user-77",
        "scope": ["mcp:read"],
        "createdAt": 1763800000,
        "authCodeId": HASH,
        "refreshTokenId": HASH,
        "refreshTokenWrappedKey": "d3JhcHBlZA==",
        "encryptedProps": SEALED,
    }
    client = {"clientId": "client-1", "clientSecret": HASH, "redirectUris": ["https://a.example/cb"], "note": "x"}
    portal.fill(
        OAUTH,
        put("grant:user-77:grant-id-1", json.dumps(grant), metadata={"clientId": "client-1", "userId": "user-77"}),
        put(f"token:user-77:grant-id-1:{HASH}", json.dumps({"grant": grant, "audience": "https://a.example"})),
        put("client:client-1", json.dumps(client)),
        put("transaction:abc", f"{SEALED}.{SEALED}"),
        put("transaction:open", "user-77 is on the way"),
    )
    listed = portal.ask("OAUTH_KV")
    values = {
        name: portal.ask("OAUTH_KV", key=key)
        for name, key in (
            ("grant", "grant:user-77:grant-id-1"),
            ("token", f"token:user-77:grant-id-1:{HASH}"),
            ("client", "client:client-1"),
            ("transaction", "transaction:abc"),
            ("open", "transaction:open"),
        )
    }

    assert [each["name"] for each in listed.data["keys"]] == [
        f"{kind}:***" for kind in ("client", "grant", "token", "transaction", "transaction")
    ]
    assert values["grant"].data["value"] == dict.fromkeys(grant, MASK) | {
        "clientId": "client-1",
        "scope": ["mcp:read"],
        "createdAt": 1763800000,
    }
    assert values["client"].data["value"] == {
        "clientId": "client-1",
        "clientSecret": MASK,
        "redirectUris": ["https://a.example/cb"],
        "note": MASK,
    }
    assert [values[name].data["value"] for name in ("transaction", "open")] == [MASK] * 2
    for answer in (listed, *values.values()):
        text = answer.model_dump_json()
        assert [word for word in ("user-77", "grant-id-1", HASH, SEALED) if word in text] == []


def test_ids_of_sessions_are_not_listed_and_their_values_can_be_read_by_who_knows_one(portal: Portal) -> None:
    """Neither does the cursor tell a name."""
    portal.fill(
        SESSION,
        *(
            put(UUID[:-2] + f"{number:02}", json.dumps([["Map", 1, 2], "n", {"data": 3}, number]))
            for number in range(4)
        ),
    )
    page = portal.ask("SESSION", limit=2)
    value = portal.ask("SESSION", key=UUID[:-2] + "03")
    rest = portal.ask("SESSION", limit=2, cursor=page.data["nextCursor"])

    assert [each["name"] for each in page.data["keys"] + rest.data["keys"]] == [MASK] * 4
    assert value.data["value"] == {"n": {"data": 3}}
    for answer in (page, rest, value):
        assert UUID[:8] not in answer.model_dump_json()
    assert UUID[:8] not in base64.urlsafe_b64decode(page.data["nextCursor"] + "==").decode()


def test_a_value_whose_name_is_a_secrets_is_masked_whole(portal: Portal) -> None:
    """Whatever it is, text, JSON or binary; its size is told."""
    portal.fill(
        CACHE,
        put("exact:refresh_token", "short"),
        put("api_key", json.dumps({"a": 1})),
        put("private_key:raw", bytes(range(200, 232))),
        put("token_url", "https://a.example/token"),
    )
    answers = [
        portal.ask("CACHE", key=key).data for key in ("exact:refresh_token", "api_key", "private_key:raw", "token_url")
    ]

    assert [(each["value"], each["masked"], each["bytes"]) for each in answers] == [
        (MASK, True, 5),
        (MASK, True, 8),
        (MASK, True, 32),
        ("https://a.example/token", False, 23),
    ]


def test_columns_that_the_settings_call_secret_are_so_in_kv_too(portal: Portal) -> None:
    """As names in JSON and in text, as names of keys, and in metadata."""
    portal.fill(
        CACHE,
        put("customer:1", json.dumps({"iban": "NL00BANK0123", "city": "Delft", "text": "iban=NL00BANK0123"})),
        put("iban:customer-7", "NL00BANK0123", metadata={"iban": "NL00BANK0123"}),
    )
    (portal.root / "daan.toml").write_text('[d1]\nsecret_columns = ["customers.IBAN"]\n')
    listed = portal.ask("CACHE").data["keys"]
    first, second = (portal.ask("CACHE", key=key).data for key in ("customer:1", "iban:customer-7"))

    assert [(each["name"], each["metadata"]) for each in listed] == [
        ("customer:1", None),
        ("iban:***", {"iban": MASK}),
    ]
    assert first["value"] == {"iban": MASK, "city": "Delft", "text": f"iban={MASK}"}
    assert (second["value"], second["metadata"]) == (MASK, {"iban": MASK})


def test_a_secret_that_this_process_knows_is_masked_in_any_value(portal: Portal) -> None:
    """The last net: exact values of the environment."""
    portal.fill(CACHE, put("note", "the key is correct-horse-battery today"), put("x-correct-horse-battery-x", ""))
    portal.environment = {"TOKEN_ENCRYPTION_KEY": "correct-horse-battery"}
    answers = [portal.ask("CACHE", key="note"), portal.ask("CACHE")]

    assert [each for each in answers if "correct-horse" in each.model_dump_json()] == []
