"""The net has no holes: each form of a planted secret is noticed, and nothing else."""

import base64
import gzip
import hashlib
import secrets
from urllib.parse import quote

import pytest

from tests.canary.canaries import Canaries, readable

SECRET = 'kq/+" ' + secrets.token_hex(24)


@pytest.mark.parametrize(
    "shown",
    [
        SECRET,
        SECRET[:30],
        SECRET[::-1],
        SECRET.encode().hex(),
        SECRET.encode().hex(":"),
        quote(SECRET, safe=""),
        base64.b64encode(SECRET.encode()).decode(),
        base64.b64encode(b"x" + SECRET.encode() + b"yz").decode(),
        base64.urlsafe_b64encode(b"xy" + SECRET.encode()).decode(),
        hashlib.sha256(SECRET.encode()).hexdigest(),
        repr(SECRET.encode()),
        ", ".join(map(str, SECRET.encode())),
    ],
    ids=str.split("text part backwards hex colons percent base64 base64+1 base64url+2 digest repr numbers"),
)
def test_each_form_of_a_secret_is_noticed(shown: str) -> None:
    """In plain text, in UTF-16 and packed."""
    canaries = Canaries()
    canaries.raw(SECRET.encode())
    emitted = f"something {shown} something"

    for data in (emitted.encode(), emitted.encode("utf-16-le"), gzip.compress(emitted.encode())):
        assert canaries.found_in(readable(data))


def test_nothing_is_noticed_where_nothing_is() -> None:
    """A megabyte of chance holds no secret."""
    canaries = Canaries()
    canaries.text("stampNL001.")
    canaries.raw(secrets.token_bytes(32))

    assert canaries.found_in(readable(secrets.token_bytes(1 << 20), secrets.token_hex(1 << 19).encode())) == []
