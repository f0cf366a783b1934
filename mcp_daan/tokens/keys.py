"""The keys that open sealed tokens: where they come from, and a holder that shows nothing of them."""

import base64
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NoReturn

from mcp_daan.config import Tokens
from mcp_daan.protocol import Severity
from mcp_daan.tokens.derivation import ITERATIONS, KEY_BYTES, Derivation, read_derivation
from mcp_daan.tokens.modes import open_to_others
from mcp_daan.workspace import Workspace
from mcp_daan.wrangler import dev_vars

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

Role = Literal["current", "previous"]
VARIABLES: dict[Role, str] = {"current": "TOKEN_ENCRYPTION_KEY", "previous": "TOKEN_ENCRYPTION_KEY_PREVIOUS"}
# Each salt costs a derivation of tens of milliseconds, so one call makes this many at most.
MOST_SALTS = 64


@dataclass(frozen=True)
class KeyProblem:
    """Why a key cannot be used, or should be looked at: names only, nothing of its value."""

    code: str
    severity: Severity
    message: str
    advice: str


class Key:
    """One AES-256 key. It shows nothing of itself and cannot be pickled or copied."""

    __slots__ = ("_cipher", "_derivation", "_passphrase", "_salted", "_secret", "doubtful", "remarks", "role")

    def __init__(
        self,
        role: Role,
        secret: bytes,
        *,
        passphrase: str = "",
        derivation: Derivation | None = None,
        doubtful: bool,
        remarks: tuple[KeyProblem, ...] = (),
    ) -> None:
        self.role = role
        # What should be looked at although the key serves.
        self.remarks = remarks
        # Whether the value has two readings, 32 characters of text or 24 bytes in base64 or 16 in hex.
        self.doubtful = doubtful
        self._secret = secret
        self._passphrase = passphrase
        self._derivation = derivation
        self._cipher: AESGCM | None = None
        self._salted: dict[bytes, AESGCM | None] = {}

    def __repr__(self) -> str:
        return "Key(***)"

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("keys are not pickled")

    @property
    def salted(self) -> bool:
        """Whether each stored value begins with the salt that its key is made with."""
        return self._derivation is not None and self._derivation.salted

    def cipher(self) -> "AESGCM":
        """What opens values that carry no salt."""
        if self._cipher is None:
            self._cipher = self._make(b"")
        return self._cipher

    def salted_cipher(self, salt: bytes) -> "AESGCM | None":
        """What opens a value that carries *salt*; None once too many salts were seen."""
        if salt not in self._salted:
            if len(self._salted) >= MOST_SALTS:
                return None
            self._salted[salt] = self._make(salt)
        return self._salted[salt]

    def _make(self, salt: bytes) -> "AESGCM":
        # Imported here: it takes 40 ms that most calls do not need.
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        if self._derivation is None:
            return AESGCM(self._secret)
        return AESGCM(self._derivation.derive(self._passphrase, self._secret, salt))


class KeyRing:
    """The current and the previous key, and what is wrong with those that cannot be used."""

    __slots__ = ("keys", "problems")

    def __init__(self, keys: tuple[Key, ...] = (), problems: tuple[KeyProblem, ...] = ()) -> None:
        self.keys = keys
        self.problems = problems

    def __repr__(self) -> str:
        return "KeyRing(***)"

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("keys are not pickled")

    def __bool__(self) -> bool:
        return bool(self.keys)


def read_keys(workspace: Workspace, settings: Tokens, environment: Mapping[str, str]) -> KeyRing:
    """The keys of the environment, else of `[tokens] key_file`, else of an app's `.dev.vars`.

    A value of the wrong form is a problem on the ring, never an error; InvalidArguments for a broken `kdf`.
    """
    derivation = read_derivation(settings.kdf)
    keys: list[Key] = []
    problems: list[KeyProblem] = []
    for role, name in VARIABLES.items():
        for text in _texts(name, workspace, settings, environment, problems):
            read = read_key(role, text, encoding=settings.key_encoding, derivation=derivation)
            if isinstance(read, Key):
                keys.append(read)
            else:
                problems.append(read)
    return KeyRing(tuple(keys), tuple(dict.fromkeys(problems)))


def read_key(
    role: Role, text: str, *, encoding: str | None = None, derivation: Derivation | None = None
) -> Key | KeyProblem:
    """The key that *text* writes down, or why it is none."""
    # `echo … | wrangler secret put` adds a newline, and people keep the quotes of their shell.
    given, text = text, text.strip().strip("\"'`").strip()
    readings = [raw for raw in _readings(text, encoding) if len(raw) == KEY_BYTES]
    if not readings and derivation is None:
        return wrong_length(role, encoding)
    secret = readings[0] if readings else text.encode("utf-8", "replace")
    remarks = [*_wrapped(role, given, text), *_weak(role, text, secret, derivation)]
    # Base64 of 24 bytes and hex of 16 are 32 characters too: such a key may be meant otherwise.
    doubtful = encoding is None and any(len(raw) in (16, 24) for raw in _readings(text, None))
    return Key(
        role,
        secret,
        passphrase=text,
        derivation=derivation,
        doubtful=doubtful and derivation is None,
        remarks=tuple(remarks),
    )


def wrong_length(role: Role, encoding: str | None = None) -> KeyProblem:
    """What is said of a key that is not 32 bytes long."""
    how = f" when read as {encoding}, as `[tokens] key_encoding` says" if encoding else ""
    return KeyProblem(
        "key_wrong_length",
        "error",
        f"{VARIABLES[role]} does not hold a key of 32 bytes{how}, so it opens nothing.",
        f"Set {VARIABLES[role]} to the portal's own key: 64 hex characters, or 32 bytes in base64; declare"
        " `[tokens] key_encoding` or `kdf` in daan.toml if it is written otherwise.",
    )


def _wrapped(role: Role, given: str, text: str) -> Iterator[KeyProblem]:
    if given != text:
        yield KeyProblem(
            "key_whitespace",
            "warning",
            f"Blanks, a newline or quotes stand round the value of {VARIABLES[role]}; they were left out here.",
            f"Set {VARIABLES[role]} without them, in the Worker too (`printf %s … | wrangler secret put`): a Worker takes"
            " them for part of the key.",
        )


def _weak(role: Role, text: str, secret: bytes, derivation: Derivation | None) -> Iterator[KeyProblem]:
    """What makes a key easier to guess than 32 random bytes."""
    name = VARIABLES[role]
    anew = "Seal the tokens anew with a key of 32 random bytes (`openssl rand -base64 32`)."
    if derivation is None:
        if secret == text.encode("utf-8", "replace"):
            yield KeyProblem(
                "low_entropy_key_encoding",
                "warning",
                f"{name} is 32 characters of text, which hold far less chance than 32 random bytes.",
                anew,
            )
    elif derivation.name == "padend" and len(text) < KEY_BYTES:
        yield KeyProblem(
            "weak_key_padding",
            "warning",
            f"{name} is shorter than a key and filled up with one character, so only its own part is secret.",
            anew,
        )
    elif derivation.name == "sha256" or (derivation.name == "pbkdf2" and derivation.iterations < ITERATIONS):
        how = "one SHA-256" if derivation.name == "sha256" else f"PBKDF2 of fewer than {ITERATIONS:,} rounds"
        yield KeyProblem(
            "weak_kdf", "warning", f"{name} is made into a key with {how}: a passphrase is guessed fast then.", anew
        )


def _readings(text: str, encoding: str | None) -> Iterator[bytes]:
    """The bytes that *text* may stand for, most likely first: 64 hex characters are also valid base64."""
    if encoding in (None, "hex"):
        with suppress(ValueError):
            yield bytes.fromhex(text)
    if encoding in (None, "base64", "base64url"):
        with suppress(ValueError):  # binascii's own error is one
            standard = text.translate(str.maketrans("-_", "+/")).rstrip("=")
            yield base64.b64decode(standard + "=" * (-len(standard) % 4), validate=True)
    if encoding in (None, "utf8"):
        yield text.encode("utf-8", "replace")


def _texts(
    name: str, workspace: Workspace, settings: Tokens, environment: Mapping[str, str], problems: list[KeyProblem]
) -> list[str]:
    if _is_set(environment.get(name, "")):
        return [environment[name]]
    if settings.key_file and name == VARIABLES["current"]:
        return _from_file(workspace, settings.key_file, problems)
    found = (dev_vars(app.path.parent).get(name, "") for app in workspace.apps)
    # Two apps may have two keys: each is tried.
    return list(dict.fromkeys(value for value in found if _is_set(value)))


def _is_set(value: str) -> bool:
    """Whether *value* is one, and no placeholder that a client left unfilled."""
    return bool(value.strip()) and not value.strip().strip("\"'").startswith("${")


def _from_file(workspace: Workspace, name: str, problems: list[KeyProblem]) -> list[str]:
    path = workspace.root / name
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError):
        problems.append(
            KeyProblem(
                "key_file_unreadable",
                "error",
                f"The key file `{name}` of `[tokens] key_file` could not be read as text.",
                f"Create `{name}` with the key in it, mend its rights, or set TOKEN_ENCRYPTION_KEY.",
            )
        )
        return []
    if open_to_others(path):
        problems.append(
            KeyProblem(
                "key_file_open",
                "warning",
                f"Others than its owner may open the key file `{name}`.",
                f"Run `chmod 600 {name}`.",
            )
        )
    # Every editor ends a file with a newline.
    return [text.removesuffix("\n").removesuffix("\r")] if _is_set(text) else []
