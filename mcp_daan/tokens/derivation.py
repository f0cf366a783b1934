"""Keys that are made from a passphrase, as `[tokens] kdf` declares it."""

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mcp_daan.errors import InvalidArguments

KEY_BYTES = 32
SALT_BYTES = 16
ITERATIONS = 100_000
MOST_ITERATIONS = 5_000_000
ADVICE = (
    'Write `kdf = "sha256"`, "padEnd", `{ name = "pbkdf2", iterations = 100000, salt = "…" }` (without `salt`: 16 bytes'
    ' before each value), or `{ name = "hkdf", info = "…" }`.'
)
# The spellings that people use, by what they mean.
NAMES = {
    "sha256": "sha256",
    "sha256passphrase": "sha256",
    "padend": "padend",
    "utf8padend0": "padend",
    "pbkdf2": "pbkdf2",
    "pbkdf2sha256": "pbkdf2",
    "pbkdf2sha256100000": "pbkdf2",
    "hkdf": "hkdf",
    "hkdfsha256": "hkdf",
}
OPTIONS = {"name", "iterations", "salt", "salt_hex", "salt_base64", "info", "pad"}


@dataclass(frozen=True)
class Derivation:
    """How a key is made from a passphrase; `salted` says that each stored value begins with its own salt."""

    name: str
    iterations: int = ITERATIONS
    salt: bytes = b""
    info: bytes = b""
    pad: str = "0"
    salted: bool = False

    def derive(self, passphrase: str, secret: bytes, salt: bytes) -> bytes:
        """The 32 bytes of the key; *secret* is the decoded key where the passphrase is one, used by HKDF."""
        # An environment may hold bytes that are no UTF-8.
        phrase = passphrase.encode("utf-8", "replace")
        if self.name == "sha256":
            return hashlib.sha256(phrase).digest()
        if self.name == "padend":
            return passphrase.ljust(KEY_BYTES, self.pad).encode("utf-8", "replace")[:KEY_BYTES]
        if self.name == "pbkdf2":
            return hashlib.pbkdf2_hmac("sha256", phrase, salt or self.salt, self.iterations, KEY_BYTES)
        # Imported here: it takes 40 ms that most calls do not need.
        from cryptography.hazmat.primitives.hashes import SHA256
        from cryptography.hazmat.primitives.kdf.hkdf import HKDF

        return HKDF(SHA256(), KEY_BYTES, self.salt or None, self.info).derive(secret)


def read_derivation(declared: Mapping[str, Any] | str | None) -> Derivation | None:
    """The derivation that `[tokens] kdf` declares; InvalidArguments that says what may stand there."""
    if declared is None:
        return None
    options = {"name": declared} if isinstance(declared, str) else dict(declared)
    name = NAMES.get(str(options.get("name", "")).lower().replace("-", "").replace("_", ""))
    iterations = options.get("iterations", ITERATIONS)
    unknown = sorted(set(options) - OPTIONS)
    if name is None or unknown:
        what = f"has no option `{unknown[0]}`" if unknown else "is not a known way to make a key"
        raise InvalidArguments(f"daan.toml: `tokens.kdf` {what}.", advice=ADVICE)
    if not isinstance(iterations, int) or not 1 <= iterations <= MOST_ITERATIONS:
        raise InvalidArguments(
            f"daan.toml: `tokens.kdf` wants `iterations` between 1 and {MOST_ITERATIONS}.", advice=ADVICE
        )
    salt = _salt(options)
    return Derivation(
        name=name,
        iterations=iterations,
        salt=salt,
        info=str(options.get("info", "")).encode(),
        pad=str(options.get("pad", "0"))[:1] or "0",
        salted=name == "pbkdf2" and not salt,
    )


def _salt(options: Mapping[str, Any]) -> bytes:
    try:
        if "salt_hex" in options:
            return bytes.fromhex(options["salt_hex"])
        if "salt_base64" in options:
            return base64.b64decode(options["salt_base64"], validate=True)
    except (ValueError, TypeError):
        raise InvalidArguments("daan.toml: the salt of `tokens.kdf` cannot be decoded.", advice=ADVICE) from None
    return str(options.get("salt", "")).encode()
