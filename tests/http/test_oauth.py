"""Tokens of an authorization server: signed ones, opaque ones, and forged ones."""

import base64
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mcp_daan.tools import toolsets
from tests.http.issuer import AUDIENCE, Issuer, Key, unsigned
from tests.http.servers import Server, wait

SECRET = "s" * 40
METADATA = "https://daan.example.test/.well-known/oauth-protected-resource/mcp"


@pytest.fixture(scope="module")
def issuer() -> Iterator[Issuer]:
    """The authorization server; it publishes a shared key and a broken one as well."""
    made = Issuer()
    shared = {"kty": "oct", "kid": "shared", "k": base64.urlsafe_b64encode(b"k" * 32).decode(), "alg": "HS256"}
    made.extra = [shared, {"kty": "RSA", "kid": "broken", "n": "!", "e": 5}]
    yield made
    made.close()


@pytest.fixture(scope="module")
def signed(demo: Path, issuer: Issuer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that takes the issuer's signed tokens, found by its metadata."""
    started = Server(
        demo,
        tmp_path_factory.mktemp("signed"),
        DAAN_HTTP_AUTH="oauth",
        DAAN_HTTP_ISSUER=issuer.url,
        DAAN_HTTP_PUBLIC_URL=AUDIENCE,
    )
    yield started
    started.close()


@pytest.fixture(scope="module")
def asking(demo: Path, issuer: Issuer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that asks the issuer about every token, as a client with a secret."""
    started = Server(
        demo,
        tmp_path_factory.mktemp("asking"),
        DAAN_HTTP_AUTH="oauth",
        DAAN_HTTP_ISSUER=issuer.url,
        DAAN_HTTP_AUDIENCE=AUDIENCE,
        DAAN_HTTP_INTROSPECTION_URL=f"{issuer.url}/introspect",
        DAAN_HTTP_CLIENT_ID="daan server",
        DAAN_HTTP_CLIENT_SECRET=SECRET,
    )
    yield started
    started.close()


def refusal(server: Server, token: str | None) -> tuple[int, str]:
    """Status and WWW-Authenticate of the tools' list."""
    answer = server.ask("tools/list", token=token)
    return answer.status_code, answer.headers.get("www-authenticate", "")


def test_a_client_without_a_token_learns_where_to_get_one(signed: Server, issuer: Issuer) -> None:
    """RFC 9728: the challenge names the metadata, and that the issuer and the scopes."""
    status, challenge = refusal(signed, None)
    documents = [signed.http.get(f"/.well-known/oauth-protected-resource{path}").json() for path in ("/mcp", "")]

    assert status == 401
    assert challenge.startswith("Bearer ")
    assert f'resource_metadata="{METADATA}"' in challenge
    assert "error=" not in challenge
    assert documents[0] == documents[1]
    assert (documents[0]["resource"], documents[0]["authorization_servers"]) == (AUDIENCE, [issuer.url])
    assert documents[0]["scopes_supported"] == "knowledge:read knowledge:write d1:read tokens:read infra:read".split()


def test_a_good_token_shows_what_its_scopes_allow_and_nothing_else(signed: Server, issuer: Issuer) -> None:
    """Scopes as text, as a list, under either name; those of others count for nothing."""
    for scopes in ({"scope": "d1:read openid"}, {"scope": None, "scp": ["d1:read"]}, {"scope": None, "scp": "d1:read"}):
        tools = signed.result("tools/list", token=issuer.token(**scopes))["tools"]

        assert [tool["name"] for tool in tools] == list(toolsets()["d1"])
    assert signed.result("tools/list", token=issuer.token(scope="admin *"))["tools"] == []
    assert signed.result("tools/list", token=issuer.token())["cacheScope"] == "private"


def test_a_tool_beyond_the_scopes_is_forbidden_and_the_challenge_names_the_scope(
    signed: Server, issuer: Issuer
) -> None:
    """So that the client can ask its user for more."""
    for method, params, scope in (
        ("tools/call", {"name": "tokens_health"}, "tokens:read"),
        ("tools/call", {"name": "lessons_append", "arguments": {}}, "knowledge:write"),
        ("resources/read", {"uri": "knowledge://backend/DATABASE.md"}, "knowledge:read"),
        ("prompts/get", {"name": "token_incident"}, "tokens:read"),
    ):
        answer = signed.ask(method, params, issuer.token())
        challenge = answer.headers["www-authenticate"]

        assert (answer.status_code, answer.json()["error"]) == (403, "insufficient_scope")
        assert (
            f'error="insufficient_scope", error_description="the scope {scope} is needed", scope="{scope}"' in challenge
        )
        assert f'resource_metadata="{METADATA}"' in challenge


def forgeries(issuer: Issuer) -> dict[str, tuple[str, str]]:
    """Tokens that must not count, and a word of why."""
    key, now = issuer.keys[0], int(time.time())
    good = issuer.claims()
    stranger = Key("first")
    fitting = {"alg": "HS256", "kid": "first", "typ": "JWT"}
    cut = issuer.token().rpartition(".")[0]
    return {
        "expired": (issuer.token(exp=now - 120), "expired"),
        "without an end": (issuer.token(exp=None), "not valid"),
        "not yet": (issuer.token(nbf=now + 600), "not valid yet"),
        "for another server": (issuer.token(aud="https://other.example.test/mcp"), "not meant"),
        "for a server beside": (issuer.token(aud=AUDIENCE + "/"), "not meant"),
        "for nobody": (issuer.token(aud=None), "not valid"),
        "of another issuer": (issuer.token(iss="https://evil.example.test"), "another issuer"),
        "of no issuer": (issuer.token(iss=None), "not valid"),
        "of nobody": (issuer.token(sub=None), "names nobody"),
        "signed by a stranger": (stranger.token(good), "not valid"),
        "of a key that is not known": (Key("other").token(good), "key is not known"),
        "unsigned": (unsigned(good, {"alg": "none", "kid": "first"}), "not allowed"),
        "unsigned, in capitals": (unsigned(good, {"alg": "NONE", "kid": "first"}), "not allowed"),
        "signed with the public key as a secret": (unsigned(good, fitting, key.pem), "not allowed"),
        "signed with the shared key that is published": (
            unsigned(good, {**fitting, "kid": "shared"}, b"k" * 32),
            "not allowed",
        ),
        "of an algorithm that is not the key's": (
            unsigned(good, {"alg": "RS256", "kid": "first"}, b"x"),
            "does not fit",
        ),
        "with a condition that nobody knows": (key.token(good, crit=["x"], x=1), "not valid"),
        "cut": (cut, "not valid"),
        "changed": (cut + "." + "A" * 86, "not valid"),
        "of an algorithm that is no word": (unsigned(good, {"alg": ["ES256"], "kid": "first"}), "not allowed"),
        "of a key that is no word": (unsigned(good, {"alg": "ES256", "kid": ["first"]}), "not valid"),
        "of a key that is published broken": (unsigned(good, {"alg": "RS256", "kid": "broken"}, b"x"), "does not fit"),
        "no token": ("xyz", "not valid"),
        "three dots": ("...", "not valid"),
        "endless": ("a." * 20_000, "no bearer token"),
    }


def test_a_token_that_does_not_hold_is_refused_in_our_own_words(signed: Server, issuer: Issuer) -> None:
    """401 with `invalid_token` and a reason that repeats nothing of the token."""
    found = {name: (*refusal(signed, token), token, why) for name, (token, why) in forgeries(issuer).items()}
    let_in = {
        name: challenge
        for name, (status, challenge, token, why) in found.items()
        if status != 401 or 'error="invalid_token"' not in challenge or why not in challenge or token in challenge
    }

    assert let_in == {}


@pytest.mark.parametrize("header", ["", "Bearer", "Basic a2VlczprZWVz", "Token x", "Bearer,x"])
def test_a_header_without_a_bearer_token_is_refused(signed: Server, header: str) -> None:
    """Whatever else stands in it."""
    answer = signed.post({}, {"authorization": header, "mcp-protocol-version": "2026-07-28"})

    assert (answer.status_code, "Bearer" in answer.headers["www-authenticate"]) == (401, True)


def test_a_token_in_the_address_counts_for_nothing(signed: Server, issuer: Issuer) -> None:
    """Addresses end up in logs."""
    answer = signed.http.post(f"/mcp?access_token={issuer.token()}", json={})

    assert answer.status_code == 401
    assert "access_token" not in signed.log


@pytest.mark.parametrize("algorithm", ["RS256", "PS256", "ES256", "EdDSA"])
def test_a_new_key_is_found_without_a_restart(signed: Server, issuer: Issuer, algorithm: str) -> None:
    """The issuer rotates: tokens of the new key count within seconds, those of the old one no longer once it is gone."""
    fresh = Key(f"new {algorithm}", algorithm)
    issuer.keys.append(fresh)
    token = fresh.token(issuer.claims())

    assert wait(lambda: refusal(signed, token)[0] == 200, 15)
    assert refusal(signed, issuer.token())[0] == 200


def test_known_keys_serve_while_the_issuer_is_silent(signed: Server, issuer: Issuer) -> None:
    """Those who are in stay in; a key that is new cannot be judged, and is not let in."""
    assert refusal(signed, issuer.token())[0] == 200
    issuer.silent = True
    try:
        known, unknown = refusal(signed, issuer.token())[0], refusal(signed, Key("later").token(issuer.claims()))[0]
    finally:
        issuer.silent = False

    assert (known, unknown) == (200, 401)


def test_the_clock_may_differ_by_half_a_minute(signed: Server, issuer: Issuer) -> None:
    """Two machines never agree to the second."""
    now = int(time.time())

    assert refusal(signed, issuer.token(exp=now - 10, nbf=now + 10))[0] == 200


def opaque(issuer: Issuer, token: str, **changed: Any) -> str:
    """A token that the issuer knows."""
    issuer.opaque[token] = {"active": True, **issuer.claims(**changed)}
    return token


def test_an_opaque_token_is_asked_about_by_a_client_with_its_secret(asking: Server, issuer: Issuer) -> None:
    """RFC 7662; one question serves the next calls too, and the secret is never told."""
    token = opaque(issuer, "opaque-good", scope="tokens:read")
    before = len(issuer.asked)
    tools = [asking.result("tools/list", token=token)["tools"] for _ in range(3)]
    asked = issuer.asked[before:]
    known = base64.b64encode(f"daan%20server:{SECRET}".encode()).decode()

    assert [[tool["name"] for tool in each] for each in tools] == [list(toolsets()["tokens"])] * 3
    assert [(path, header) for path, header, _ in asked] == [("/introspect", f"Basic {known}")]
    assert asked[0][2] == {"token": [token], "token_type_hint": ["access_token"]}
    assert SECRET not in asking.log


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"active": False}, "not active"),
        ({"active": "true"}, "not active"),
        ({"exp": 1}, "expired"),
        ({"exp": "tomorrow"}, "expired"),
        ({"aud": "https://other.example.test"}, "not meant"),
        ({"aud": None}, "not meant"),
        ({"iss": "https://evil.example.test"}, "another issuer"),
        ({"sub": None}, "names nobody"),
    ],
)
def test_an_answer_that_does_not_hold_lets_nobody_in(
    asking: Server, issuer: Issuer, changed: dict[str, Any], why: str
) -> None:
    """The issuer's word is taken only whole."""
    status, challenge = refusal(asking, opaque(issuer, f"opaque {changed}".replace(" ", "-"), **changed))

    assert (status, why in challenge) == (401, True)


def test_a_token_that_cannot_be_judged_is_neither_good_nor_bad(asking: Server, issuer: Issuer) -> None:
    """503 while the issuer is silent, so that the client does not throw the token away."""
    issuer.silent = True
    try:
        answer = asking.ask("tools/list", token="opaque-unknown")
    finally:
        issuer.silent = False

    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert "www-authenticate" not in answer.headers


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"DAAN_HTTP_ISSUER": ""}, "issuer"),
        ({"DAAN_HTTP_ISSUER": "http://issuer.example.test"}, "issuer"),
        ({"DAAN_HTTP_JWKS_URL": "file:///etc/passwd"}, "jwks_url"),
        ({"DAAN_HTTP_PUBLIC_URL": "mcp.example.com/mcp"}, "public_url"),
        ({"DAAN_HTTP_PUBLIC_URL": "https://mcp.example.com:port/mcp"}, "public_url"),
        ({"DAAN_HTTP_ALLOWED_ORIGINS": "app.example.com"}, "allowed_origins"),
        ({"DAAN_HTTP_INTROSPECTION_URL": "http://issuer.example.test/x"}, "introspection_url"),
        ({"DAAN_HTTP_INTROSPECTION_URL": "https://issuer.example.test/x", "DAAN_HTTP_CLIENT_ID": "x"}, "client_id"),
    ],
)
def test_settings_that_do_not_fit_are_said_before_anything_is_served(
    demo: Path,
    settings: dict[str, str],
    named: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """With exit code 2, by the name of the setting."""
    from mcp_daan.cli import main

    for name, value in {
        "DAAN_HTTP_AUTH": "oauth",
        "DAAN_HTTP_ISSUER": "https://issuer.example.test",
        **settings,
    }.items():
        if value:
            monkeypatch.setenv(name, value)
    code = main(["serve", "--http", "127.0.0.1:0", "--workspace", str(demo)])

    assert (code, named in capsys.readouterr().err) == (2, True)


@pytest.mark.parametrize("place", ["0.0.0.0:0", "[::]:0"])
def test_at_every_address_the_one_that_tokens_are_meant_for_must_be_set(
    demo: Path, place: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Else every token would be refused, and every client sent to an address that is none."""
    from mcp_daan.cli import main

    monkeypatch.setenv("DAAN_HTTP_AUTH", "oauth")
    monkeypatch.setenv("DAAN_HTTP_ISSUER", "https://issuer.example.test")
    code = main(["serve", "--http", place, "--workspace", str(demo)])

    assert (code, "public_url" in capsys.readouterr().err) == (2, True)
