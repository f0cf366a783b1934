"""Secrets that are planted, and every form in which they could show."""

import base64
import gzip
import hashlib
import json
import secrets
import zlib
from collections.abc import Iterable, Iterator
from urllib.parse import quote

# So many characters of a form are enough to tell it; fewer may stand there by chance.
SHORTEST = 24


class Canaries:
    """Secrets that were planted."""

    def __init__(self) -> None:
        self.planted: list[bytes] = []

    def text(self, shape: str = "") -> str:
        """A new secret as text."""
        value = f"{shape}{secrets.token_hex(24)}"
        self.planted.append(value.encode())
        return value

    def raw(self, value: bytes) -> bytes:
        """*value*, planted."""
        self.planted.append(value)
        return value

    def forms(self) -> Iterator[str]:
        """Text, hex, base64 at each of its three alignments in both alphabets, backwards, escaped, and the hashes."""
        for value in self.planted:
            yield from _forms(value)

    def found_in(self, text: str) -> list[str]:
        """What of any secret stands in *text*, if only a part of some length."""
        parts = {part: form for form in self.forms() for part in _parts(form)}
        # One look at each place of the text tells of all parts of a length.
        return sorted(
            {
                parts[text[at : at + length]]
                for length in {len(part) for part in parts}
                for at in range(len(text) - length + 1)
                if text[at : at + length] in parts
            }
        )


def _forms(value: bytes) -> Iterator[str]:
    if value.isascii():
        plain = value.decode()
        yield from (plain, plain[::-1], quote(plain, safe=""), quote(quote(plain, safe=""), safe=""))
        yield from (json.dumps(plain)[1:-1], repr(plain)[1:-1])
    yield repr(value)[2:-1]
    yield "".join(f"%{byte:02X}" for byte in value)
    yield ", ".join(map(str, value))
    yield ",".join(map(str, value))
    yield from (value.hex(), value.hex().upper(), value.hex(":"), value.hex(" "))
    for skip in range(3):
        whole = base64.b64encode(b"\0" * skip + value).decode().rstrip("=")
        # What its neighbours decide is cut off at both ends.
        inner = whole[4 if skip else 0 : len(whole) - 3]
        yield from (inner, inner.translate(str.maketrans("+/", "-_")))
    yield base64.b32encode(value).decode().rstrip("=")
    for digest in (hashlib.sha256, hashlib.sha1, hashlib.md5, hashlib.blake2b):
        yield digest(value).hexdigest()[:SHORTEST]
        yield base64.b64encode(digest(value).digest()).decode()[:SHORTEST]


def _parts(form: str) -> tuple[str, str, str]:
    middle = max(len(form) // 2 - SHORTEST // 2, 0)
    return form[:SHORTEST], form[middle : middle + SHORTEST], form[-SHORTEST:]


def readable(*emitted: bytes) -> str:
    """Everything in *emitted* as one text: as it is, and what unpacks of it."""
    return "\n".join(text for each in emitted for text in _readable(each))


def _readable(data: bytes) -> Iterable[str]:
    yield data.decode("latin-1")
    if not data.isascii():
        yield data.decode("utf-8", "replace")
    if b"\0" in data:
        yield data.decode("utf-16-le", "replace")
        yield data[1:].decode("utf-16-le", "replace")
    for unpack in (gzip.decompress, zlib.decompress):
        try:
            yield unpack(data).decode("latin-1")
        except (OSError, zlib.error, EOFError):
            continue
