"""The forms in which Workers keep AES-256-GCM values, taken apart into nonce, sealed bytes and salt."""

import binascii
import json
import re
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, NamedTuple

TAG = 16
NONCE = 12
SALT = 16
# 96 bits are what GCM is made for; Node examples use 16 bytes.
NONCES = (NONCE, 16)
SHORTEST = NONCE + TAG
# What people write in front of a sealed value: `enc:`, `v1:`, `enc:v1:`, `aes-256-gcm:`.
PREFIX = re.compile(r"\$?(?:(?:enc|encrypted|sealed|aes(?:-?256)?-?gcm|gcm|[vk]\d{1,4})[:.$|])+", re.I)
NONCE_KEYS = ("iv", "nonce")
VALUE_KEYS = ("ciphertext", "data", "ct", "encrypted", "encryptedData", "content", "payload", "value", "cipher")
TAG_KEYS = ("tag", "authTag", "auth_tag", "mac")
JWE = "JWE dir/A256GCM"

_HEX = re.compile(r"(?:[0-9a-fA-F]{2})+")
_STANDARD = re.compile(r"[A-Za-z0-9+/]*={0,2}")
_URL = re.compile(r"[A-Za-z0-9_-]+={0,2}")
_PADDING = ("", "===", "==", "=")
_TO_STANDARD = str.maketrans("-_", "+/")


class Sealed(NamedTuple):
    """One reading of a stored value: the format's name, and what AES-GCM needs to open it."""

    format: str
    nonce: bytes
    body: bytes
    salt: bytes = b""
    header: bytes = b""


def from_hex(text: str) -> bytes | None:
    """The bytes of *text* if it is hex; otherwise None."""
    return bytes.fromhex(text) if _HEX.fullmatch(text) else None


def from_base64(text: str) -> bytes | None:
    """The bytes of *text* if it is base64 of the standard alphabet with its padding; otherwise None."""
    if not _STANDARD.fullmatch(text):
        return None
    try:
        return binascii.a2b_base64(text, strict_mode=True)
    except ValueError:
        return None


def from_base64url(text: str) -> bytes | None:
    """The bytes of *text* if it is base64 of the URL alphabet, padded or not; otherwise None."""
    if not _URL.fullmatch(text):
        return None
    bare = text.rstrip("=").translate(_TO_STANDARD)
    try:
        return binascii.a2b_base64(bare + "=" * (-len(bare) % 4), strict_mode=True)
    except ValueError:
        return None


def _bare(stored: str) -> bytes:
    if "+" in stored or "/" in stored:
        raise ValueError
    bare = stored.replace("-", "+").replace("_", "/")
    if bare[-1:] == "=":
        return binascii.a2b_base64(bare, strict_mode=True)
    return binascii.a2b_base64(bare + _PADDING[len(bare) % 4], strict_mode=True)


# The same, for a value that is expected to have the form: ValueError where it has not.
STRICT: dict[str, Callable[[str], bytes]] = {
    "hex": bytes.fromhex,
    "b64": partial(binascii.a2b_base64, strict_mode=True),
    "b64url": _bare,
}
# In this order: 64 hex characters are valid base64 too, and most base64 without padding is valid in both alphabets.
ENCODINGS: dict[str, Callable[[str], bytes | None]] = {
    "hex": from_hex,
    "b64": from_base64,
    "b64url": from_base64url,
}


def readings(stored: str | bytes, *, salted: bool = False) -> list[Sealed]:
    """Every way to read *stored* as a sealed value, likeliest first; empty when it has no such form.

    *salted*: the value begins with 16 bytes of salt.
    """
    if isinstance(stored, bytes):
        text = readings(stored.decode(), salted=salted) if stored.isascii() else []
        return text + list(_layouts("raw", stored, salted))
    if stored.startswith("{"):
        return list(_json(stored, salted))
    if stored.startswith("eyJ") and stored.count(".") == 4:
        return list(_jwe(stored))
    found = list(_text("", stored, salted))
    prefix = PREFIX.match(stored)
    if prefix:
        found = list(_text(prefix[0].lower(), stored[prefix.end() :], salted)) + found
    return found


def columns_readings(value: str | bytes, nonce: object, tag: object) -> list[Sealed]:
    """Every way to read a value that is kept in several columns; *tag* None: it stands behind the value."""
    for name, decode in ENCODINGS.items():
        parts = [_decoded(part, decode) for part in (value, nonce, b"" if tag is None else tag)]
        body, iv, mac = parts
        if body is not None and iv is not None and mac is not None:
            if len(iv) not in NONCES or len(body) + len(mac) < TAG:
                return []
            keys = "{ciphertext,iv}" if tag is None else "{ciphertext,iv,tag}"
            return [Sealed(f"columns {keys} {name}", iv, body + mac)]
    return []


def _decoded(part: object, decode: Callable[[str], bytes | None]) -> bytes | None:
    if isinstance(part, str):
        return decode(part)
    return part if isinstance(part, bytes) else None


Split = Callable[[str], tuple[bytes, bytes]]
_WHOLE = re.compile(rf"({PREFIX.pattern})?(hex|b64|b64url)\(iv(12|16)\|\|(ct\|\|tag16|tag16\|\|ct)\)", re.I)
_IN_PARTS = re.compile(rf"({PREFIX.pattern})?(hex|b64|b64url) iv([:.])(.*)", re.I)
_IN_JSON = re.compile(r"json \{(\w+),(\w+)(?:,(\w+))?\}")


def splitter(name: str) -> Split | None:
    """The short way to take values of the format *name* apart: a TypeError or ValueError for one of another form.

    None for a format that has no short way.
    """
    if known := _WHOLE.fullmatch(name):
        return _whole(known[1] or "", STRICT[known[2]], int(known[3]), tag_first=known[4].startswith("tag"))
    if known := _IN_PARTS.fullmatch(name):
        return _in_parts(known[1] or "", STRICT[known[2]], known[3], known[4])
    if known := _IN_JSON.fullmatch(name):
        return _in_json(known[1], known[2], known[3])
    return None


def _whole(prefix: str, decode: Callable[[str], bytes], size: int, *, tag_first: bool) -> Split:
    start, behind = len(prefix), size + TAG

    def bare(stored: str) -> tuple[bytes, bytes]:
        raw = decode(stored)
        return raw[:size], raw[size:]

    def after_prefix(stored: str) -> tuple[bytes, bytes]:
        if not stored.startswith(prefix):
            raise ValueError
        raw = decode(stored[start:])
        return raw[:size], raw[behind:] + raw[size:behind] if tag_first else raw[size:]

    return after_prefix if prefix or tag_first else bare


def _in_parts(prefix: str, decode: Callable[[str], bytes], separator: str, order: str) -> Split:
    start, tag_first = len(prefix), order.startswith("tag")

    def in_two(stored: str) -> tuple[bytes, bytes]:
        first, body = stored[start:].split(separator)
        nonce = decode(first)
        if len(nonce) != NONCE or not stored.startswith(prefix):
            raise ValueError
        return nonce, decode(body)

    def in_three(stored: str) -> tuple[bytes, bytes]:
        first, second, third = stored[start:].split(separator)
        nonce = decode(first)
        if len(nonce) != NONCE or not stored.startswith(prefix):
            raise ValueError
        return nonce, decode(third) + decode(second) if tag_first else decode(second) + decode(third)

    return in_two if order.startswith("(") else in_three


def _in_json(nonce: str, value: str, tag: str | None) -> Split:
    read = json.JSONDecoder().decode

    def members(stored: str) -> tuple[bytes, bytes]:
        if stored[:1] != "{":
            raise ValueError
        found = read(stored).get
        # Twelve bytes are 24 characters of hex, and 16 of base64.
        decode = bytes.fromhex if len(found(nonce)) == 2 * NONCE else STRICT["b64"]
        iv = decode(found(nonce))
        if len(iv) != NONCE:
            raise ValueError
        body = decode(found(value))
        return iv, body if tag is None else body + decode(found(tag))

    return members


def _text(prefix: str, text: str, salted: bool) -> Iterator[Sealed]:
    for separator in ":.":
        if separator in text:
            yield from _parts(prefix, text.split(separator), separator)
            return
    for name, decode in ENCODINGS.items():
        raw = decode(text)
        if raw is not None and len(raw) >= SHORTEST:
            yield from _layouts(f"{prefix}{name}", raw, salted)
            return


def _layouts(name: str, raw: bytes, salted: bool) -> Iterator[Sealed]:
    if salted:
        if len(raw) >= SALT + SHORTEST:
            salt, nonce, body = raw[:SALT], raw[SALT : SALT + NONCE], raw[SALT + NONCE :]
            yield Sealed(f"{name}(salt16||iv12||ct||tag16)", nonce, body, salt)
        return
    for size in NONCES:
        if len(raw) >= size + TAG:
            nonce, tag, body = raw[:size], raw[size : size + TAG], raw[size:]
            yield Sealed(f"{name}(iv{size}||ct||tag16)", nonce, body)
            yield Sealed(f"{name}(iv{size}||tag16||ct)", nonce, raw[size + TAG :] + tag)


def _parts(prefix: str, texts: list[str], separator: str) -> Iterator[Sealed]:
    if len(texts) not in (2, 3):
        return
    for name, decode in ENCODINGS.items():
        read = [b"" if text == "" else decode(text) for text in texts]
        parts = [part for part in read if part is not None]
        if len(parts) == len(texts) and len(parts[0]) in NONCES:
            iv = "iv" if len(parts[0]) == NONCE else "iv16"
            if len(parts) == 2 and len(parts[1]) >= TAG:
                yield Sealed(f"{prefix}{name} {iv}{separator}(ct||tag)", parts[0], parts[1])
            if len(parts) == 3 and len(parts[1]) == TAG:
                yield Sealed(f"{prefix}{name} {iv}{separator}tag{separator}ct", parts[0], parts[2] + parts[1])
            if len(parts) == 3 and len(parts[2]) == TAG:
                yield Sealed(f"{prefix}{name} {iv}{separator}ct{separator}tag", parts[0], parts[1] + parts[2])
            return


def _json(text: str, salted: bool) -> Iterator[Sealed]:
    try:
        members = json.loads(text)
    except (ValueError, RecursionError):
        return
    if not isinstance(members, dict):
        return
    names = [next((key for key in keys if key in members), None) for keys in (NONCE_KEYS, VALUE_KEYS, TAG_KEYS)]
    if names[1] is None:
        return
    read = [b"" if name is None else _member(members[name]) for name in names]
    nonce, body, tag = read
    name = "json {" + ",".join(key for key in names if key) + "}"
    if names[0] is None and body is not None:
        yield from _layouts(name + " ", body, salted)
    elif nonce is not None and body is not None and tag is not None and len(nonce) in NONCES:
        yield Sealed(name, nonce, body + tag)


def _member(value: Any) -> bytes | None:
    if isinstance(value, dict) and value.get("type") == "Buffer":
        value = value.get("data")
    if isinstance(value, list):
        try:
            return bytes(value)
        except (ValueError, TypeError):
            return None
    if not isinstance(value, str):
        return None
    return next((raw for decode in ENCODINGS.values() if (raw := decode(value)) is not None), None)


def _jwe(text: str) -> Iterator[Sealed]:
    head, wrapped, iv, ciphertext, tag = text.split(".")
    read = [b"" if part == "" else from_base64url(part) for part in (head, iv, ciphertext, tag)]
    header, nonce, body, mac = read
    if wrapped or header is None or nonce is None or body is None or mac is None:
        return
    try:
        algorithms = json.loads(header)
    except (ValueError, RecursionError):
        return
    if isinstance(algorithms, dict) and (algorithms.get("alg"), algorithms.get("enc")) == ("dir", "A256GCM"):
        yield Sealed(JWE, nonce, body + mac, header=head.encode())
