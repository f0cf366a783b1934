"""What looks like a credential, or is a secret we know, is masked; the rest stays readable."""

import base64
import pickle
import re
import secrets

import pytest

from mcp_daan.scrub import SHAPES, Secrets, shaped
from mcp_daan.secret_names import secret_name


@pytest.mark.parametrize(
    "name",
    [
        "access_token", "access_token_enc", "refreshToken", "keyHash", "APIKey", "api_key", "private_key", "client_secret", "password",
        "otp", "session_cookie", "salt", "cipher_text", "tokens", "token2", "SECRET", "userPasswordHash", "id_token", "enc_value",
    ],
)  # fmt: skip
def test_a_name_with_a_secret_segment_is_secret(name: str) -> None:
    """Names are split at `_` and at capitals."""
    assert secret_name(name) is True


@pytest.mark.parametrize(
    "name",
    ["token_expires_at", "tokens_count", "key_id", "hash_type", "cookie_url", "token_hint", "token_expires", "name", "tokenizer", "encoding",
     "hashtag", "secretary", "email", "api_key_id", "", "_", "key"],
)  # fmt: skip
def test_a_harmless_name_stays_readable(name: str) -> None:
    """A segment is a whole word, and a harmless last segment lifts the mask."""
    assert secret_name(name) is False


def test_a_known_secret_is_masked_in_every_form() -> None:
    """Text, hex, base64 and URL-quoted: the forms in which secrets travel."""
    value = "p/" + secrets.token_urlsafe(24) + '"+'
    known = Secrets([value])
    raw = value.encode()
    forms = [
        value,
        raw.hex(),
        base64.b64encode(raw).decode(),
        base64.urlsafe_b64encode(raw).decode(),
        value.replace("/", "%2F").replace('"', "%22").replace("+", "%2B"),
    ]

    assert [known.scrub(f"<{form}>").rstrip("=>") for form in forms] == ["<***"] * len(forms)


def test_the_bytes_of_a_key_are_masked_whatever_its_encoding_was() -> None:
    """A key given in hex does not leave as base64."""
    key = secrets.token_bytes(32)

    assert base64.b64encode(key).decode().rstrip("=") not in Secrets([key.hex()]).scrub(
        f"key {base64.b64encode(key).decode()}"
    )
    assert key.hex() not in Secrets([base64.b64encode(key).decode()]).scrub(f"key {key.hex()}")


def shapes() -> list[str]:
    """Each alternative among the shapes, without its comment."""
    lines = SHAPES.pattern.splitlines()[2:-1]
    return [re.sub(r"  +# .*$", "", line).strip().removeprefix("| ") for line in lines]


@pytest.mark.parametrize(
    "prefix", ["cfk_", "cfoat_", "gho_", "ghu_", "ghs_", "ghr_", "xoxa-", "xoxp-", "xoxr-", "xoxs-", "sk_test_"]
)
def test_every_variant_of_a_shape_is_masked(prefix: str) -> None:
    """What is looked for first never hides what is looked for then."""
    assert Secrets().scrub(prefix + "0123456789abcdef" * 3) == "***"


def test_half_a_surrogate_pair_hides_nothing() -> None:
    """Text without a UTF-8 form is looked through too."""
    assert Secrets().scrub("\ud800 cfut_" + "0123456789abcdef" * 3) == "\ud800 ***"


@pytest.mark.parametrize("shape", shapes())
def test_every_shape_has_an_example_that_is_masked(shape: str) -> None:
    """Whoever adds a shape adds an example, and the mark by which it is looked for first."""
    found = [text for text in EXAMPLES.values() if re.search(shape, text, re.VERBOSE)]

    assert found
    assert [Secrets().scrub(text) for text in found] == ["***"] * len(found)


EXAMPLES = {
    "exact": "stampNL001." + secrets.token_urlsafe(24),
    "cloudflare user": "cfut_" + secrets.token_hex(24),
    "cloudflare account": "cfat_" + secrets.token_hex(24),
    "github": "ghp_" + secrets.token_hex(20),
    "github fine-grained": "github_pat_" + secrets.token_hex(20),
    "openai": "sk-" + secrets.token_hex(24),
    "stripe": "sk_live_" + secrets.token_hex(12),
    "aws": "AKIA" + "Q" * 16,
    "npm": "npm_" + secrets.token_hex(18),
    "ours": "daan_" + secrets.token_hex(24),
    "1password": "ops_eyJ" + secrets.token_hex(20),
    "slack": "xoxb-" + secrets.token_hex(12),
    "jwt": "eyJ" + secrets.token_hex(8) + ".eyJ" + secrets.token_hex(12) + "." + secrets.token_hex(12),
    "iv:tag:ct": secrets.token_hex(12) + ":" + secrets.token_hex(16) + ":" + secrets.token_hex(20),
    "pem": "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----",
}


@pytest.mark.parametrize("text", EXAMPLES.values(), ids=EXAMPLES)
def test_what_has_a_credentials_shape_is_masked(text: str) -> None:
    """Anchored shapes only: an entropy test would take ids for secrets."""
    assert shaped(text) is True
    assert Secrets().scrub(f"before {text} after") == "before *** after"


@pytest.mark.parametrize(
    "text",
    [
        "f023adf8-2222-3333-4444-555555555555",
        "a" * 64,
        "SELECT 1",
        "eyJ",
        "sk-learn",
        "stampede NL001.",
        "2026-11-22T10:00:00Z",
    ],
)
def test_ids_hashes_and_words_are_left_alone(text: str) -> None:
    """A mask over harmless text makes an answer useless."""
    assert Secrets().scrub(text) == text


def test_a_mask_keeps_json_valid() -> None:
    """The net works on the text of the answer."""
    assert Secrets(["hunter2hunter2"]).scrub('{"a":"hunter2hunter2","b":1}') == '{"a":"***","b":1}'


def test_the_holder_shows_and_gives_away_nothing() -> None:
    """Neither repr nor pickle reveal what it holds."""
    value = secrets.token_hex(16)

    assert value not in repr(Secrets([value]))
    with pytest.raises(TypeError):
        pickle.dumps(Secrets([value]))
