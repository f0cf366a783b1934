"""Every form in which Workers seal values: real vectors of `cryptography` and of WebCrypto, and forms made here."""

import base64
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from mcp_daan.tokens.derivation import read_derivation
from mcp_daan.tokens.keys import MOST_SALTS, Key, KeyRing, read_key
from mcp_daan.tokens.opening import Opener, Tally
from mcp_daan.tokens.sealed import readings, splitter
from tests.tokens.conftest import Portal, findings

VECTORS = json.loads((Path(__file__).parent.parent / "data/tokens/token_vectors.json").read_text(encoding="utf-8"))
VECTORS = VECTORS["vectors"]
SETTINGS = {
    "sha256-passphrase": "sha256",
    "utf8-padEnd-0": "padEnd",
    "pbkdf2-sha256-100000": {"name": "pbkdf2", "iterations": 100000},
    "hkdf-sha256": {"name": "hkdf"},
}


def declared_kdf(vector: dict[str, Any]) -> Any:
    """What `[tokens] kdf` has to say for the vector."""
    if vector.get("needs") != "kdf":
        return None
    kdf = SETTINGS[vector["key_encoding"]]
    extra = {"salt": vector.get("salt_utf8"), "info": vector.get("info")}
    return kdf if isinstance(kdf, str) else {**kdf, **{name: value for name, value in extra.items() if value}}


def opener(text: str, *, kdf: Any = None, declared: str | None = None) -> Opener:
    """What opens values under the key that *text* writes."""
    key = read_key("current", text, derivation=read_derivation(kdf))
    return Opener(KeyRing((key,)) if isinstance(key, Key) else KeyRing((), (key,)), Tally(), declared=declared)


@pytest.mark.parametrize("vector", VECTORS, ids=[vector["id"] for vector in VECTORS])
def test_a_vector_opens_exactly_when_it_should(vector: dict[str, Any]) -> None:
    """With only what `needs` names declared; tampered, truncated and foreign values never open."""
    chosen = opener(vector["key"], kdf=declared_kdf(vector))
    stored = vector["stored"]
    aad = vector["aad"].encode() if "aad" in vector else None
    parts = (stored["ciphertext"], aad, stored["iv"], stored["tag"]) if isinstance(stored, dict) else (stored, aad)

    for _ in range(2):  # the second time on the short way
        state, plain = chosen.open(*parts)
        assert (vector["expect"] == "ok") == (state == "opened")
        assert vector["expect"] != "ok" or vector["plaintext"] == plain.decode()


def b64(raw: bytes) -> str:
    """Standard base64."""
    return base64.b64encode(raw).decode()


def url(raw: bytes) -> str:
    """Base64 of the URL alphabet without padding."""
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


FORMS: dict[str, Callable[[bytes, bytes, bytes], str]] = {
    "b64(iv12||ct||tag16)": lambda iv, ct, tag: b64(iv + ct + tag),
    "b64url(iv12||ct||tag16)": lambda iv, ct, tag: url(iv + ct + tag),
    "hex(iv12||ct||tag16)": lambda iv, ct, tag: (iv + ct + tag).hex(),
    "enc:v2:hex(iv12||ct||tag16)": lambda iv, ct, tag: "enc:v2:" + (iv + ct + tag).hex(),
    "b64(iv12||tag16||ct)": lambda iv, ct, tag: b64(iv + tag + ct),
    "hex iv:tag:ct": lambda iv, ct, tag: f"{iv.hex()}:{tag.hex()}:{ct.hex()}",
    "hex iv:ct:tag": lambda iv, ct, tag: f"{iv.hex()}:{ct.hex()}:{tag.hex()}",
    "b64 iv:(ct||tag)": lambda iv, ct, tag: f"{b64(iv)}:{b64(ct + tag)}",
    "v1:b64url iv:(ct||tag)": lambda iv, ct, tag: f"v1:{url(iv)}:{url(ct + tag)}",
    "b64url iv.(ct||tag)": lambda iv, ct, tag: f"{url(iv)}.{url(ct + tag)}",
    "aes-256-gcm:b64 iv:tag:ct": lambda iv, ct, tag: f"aes-256-gcm:{b64(iv)}:{b64(tag)}:{b64(ct)}",
    "json {nonce,ciphertext,authTag}": lambda iv, ct, tag: json.dumps(
        {"nonce": iv.hex(), "ciphertext": ct.hex(), "authTag": tag.hex()}
    ),
    "json {iv,ciphertext,tag}": lambda iv, ct, tag: json.dumps({"iv": b64(iv), "ciphertext": b64(ct), "tag": b64(tag)}),
    "json {iv,data}": lambda iv, ct, tag: json.dumps(
        {"iv": {"type": "Buffer", "data": list(iv)}, "data": {"type": "Buffer", "data": list(ct + tag)}}
    ),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_form_opens_the_long_way_and_the_short_way_alike(form: str) -> None:
    """Values of chance, first alone and then in a run; the format's name counts them all."""
    key = os.urandom(32)
    cipher = AESGCM(key)
    plains = [url(os.urandom(3 * number + 40)) + "-" for number in range(40)]
    stored = []
    for plain in plains:
        iv = os.urandom(12)
        sealed = cipher.encrypt(iv, plain.encode(), None)
        stored.append(FORMS[form](iv, sealed[:-16], sealed[-16:]))
    chosen = opener(key.hex())
    states, opened = chosen.open_all(stored)

    assert (["opened"] * 40, plains) == (states, [plain.decode() for plain in opened])
    # A single value without `-`, `_` and padding may be of either alphabet.
    assert 39 <= chosen._tally.formats[form] <= 40


SHORT = [form for form in FORMS if splitter(form) is not None and "Buffer" not in FORMS[form](b"", b"", b"")]


@pytest.mark.parametrize("form", SHORT)
def test_the_short_way_takes_apart_what_the_long_way_does(form: str) -> None:
    """Nonce first, then the sealed bytes with the tag behind them."""
    iv, ct, tag = b"\xfb" * 12, b"\xef" * 50, b"\xbe" * 16
    split = splitter(form)
    assert split is not None

    assert (iv, ct + tag) == split(FORMS[form](iv, ct, tag))


def test_bytes_in_a_blob_open_too() -> None:
    """D1 keeps an ArrayBuffer as BLOB; base64 may stand in one as well."""
    key, iv = os.urandom(32), os.urandom(12)
    raw = iv + AESGCM(key).encrypt(iv, b"token", None)
    chosen = opener(key.hex())

    assert [chosen.open(raw, None), chosen.open(b64(raw).encode(), None)] == [("opened", b"token")] * 2


def test_a_value_split_over_columns_opens_in_each_encoding() -> None:
    """Sealed bytes, nonce and tag in columns of their own, the tag perhaps behind the sealed bytes."""
    key, iv = os.urandom(32), os.urandom(12)
    sealed = AESGCM(key).encrypt(iv, b"token", None)
    chosen = opener(key.hex())
    cases = [
        (b64(sealed[:-16]), b64(iv), b64(sealed[-16:])),
        (sealed.hex(), iv.hex(), None),
        (sealed[:-16], iv, sealed[-16:]),
    ]

    assert [chosen.open(value, None, nonce, tag)[0] for value, nonce, tag in cases] == ["opened"] * 3


def test_a_declared_format_is_the_only_one_tried() -> None:
    """What is sealed otherwise does not open then."""
    key, iv = os.urandom(32), os.urandom(12)
    sealed = AESGCM(key).encrypt(iv, b"token", None)
    chosen = opener(key.hex(), declared="hex iv:tag:ct")

    assert chosen.open(b64(iv + sealed), None)[0] == "unopened"
    assert chosen.open(FORMS["hex iv:tag:ct"](iv, sealed[:-16], sealed[-16:]), None)[0] == "opened"


@pytest.mark.parametrize("size", [16, 24])
def test_a_key_of_aes_128_or_192_opens_nothing(size: int) -> None:
    """The library would take such a key; a checker insists on 32 bytes."""
    key, iv = os.urandom(size), os.urandom(12)
    stored = b64(iv + AESGCM(key).encrypt(iv, b"token", None))

    assert opener(b64(key)).open(stored, None)[0] != "opened"


@pytest.mark.parametrize(
    "stored",
    ['{"iv":', "[" * 100_000, '{"a":' * 50_000, "{}", '{"iv": 1, "data": [999]}', "a.b.c.d.e", ":" * 50, "v1:"],
)
def test_rubbish_has_no_reading_and_raises_nothing(stored: str) -> None:
    """Broken JSON, deep nesting, numbers that are no bytes."""
    assert readings(stored) == []


def test_a_kdf_with_a_salt_in_each_value_opens_so_many_and_says_that_it_left_some(portal: Portal) -> None:
    """Each salt costs tens of milliseconds; the rest is not called undecryptable."""
    import hashlib

    portal.declare('[tokens]\nkdf = { name = "pbkdf2", iterations = 1 }\n')

    def seal() -> str:
        salt, iv = os.urandom(16), os.urandom(12)
        key = hashlib.pbkdf2_hmac("sha256", b"passphrase", salt, 1, 32)
        return b64(salt + iv + AESGCM(key).encrypt(iv, os.urandom(30).hex().encode(), None))

    portal.save([portal.row(access_token_enc=seal(), refresh_token_enc=seal()) for _ in range(MOST_SALTS)])
    answer = portal.health({"TOKEN_ENCRYPTION_KEY": "passphrase"})

    assert (
        answer.status, answer.data["crypto"]["keys"]["current"], answer.data["counts"]["healthy"]
    ) == ("partial", MOST_SALTS, MOST_SALTS)  # fmt: skip
    assert "too_many_salts" in findings(answer)


def test_values_bound_to_their_row_open_with_the_declared_data(portal: Portal) -> None:
    """And one that was copied from another row does not, and is recognised as a copy."""
    portal.declare('[tokens]\naad = "{table}:{id}:{token}"\n')
    rows = []
    for number in range(1, 9):
        sealed = {
            f"{kind}_enc": portal.seal(aad=f"connections:{number}:{kind}".encode())
            for kind in ("access_token", "refresh_token")
        }
        rows.append(portal.row(**sealed))
    rows[4]["refresh_token_enc"] = rows[3]["refresh_token_enc"]
    rows[4]["status"] = "paused"
    portal.save(rows)
    answer = portal.health()

    assert {verdict: count for verdict, count in answer.data["counts"].items() if count} == {
        "undecryptable": 1,
        "healthy": 7,
    }
    assert findings(answer)["sealed_for_another"]["connections"] == 1


def test_an_unknown_placeholder_in_the_aad_is_refused_with_the_known_ones(portal: Portal) -> None:
    """A wrong declaration never looks like a wrong key."""
    portal.declare('[tokens]\naad = "{table}:{row}"\n')
    portal.save(portal.rows(1))
    answer = portal.health()

    assert answer.error is not None
    assert (answer.error.code, "{id}" in answer.recommendations[0]) == ("invalid_arguments", True)
