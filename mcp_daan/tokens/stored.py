"""What a stored value is when it does not open: nothing, a token in plain, another scheme, or rubbish."""

import re
from typing import Literal

State = Literal[
    "opened",
    "missing",
    "empty",
    "plaintext",
    "opaque",
    "unopened",
    "foreign",
    "other",
    "malformed",
    "untried",
    "absent",
]

# Shapes of tokens as providers give them out; Exact Online's begin with `stampNL001.` and the like.
TOKEN = re.compile(
    r"(?x) stamp[A-Za-z]{2}\d{3}\. | eyJ[\w-]+\.(?:eyJ[\w-]*)?\.[\w-]*$ | Bearer\s | ya29\. | 1//0 | gh[pousr]_ | sk_"
    r" | xox[abprs]-"
)
# Words that base64 does not form by chance: less than one in ten million values.
WORDS = re.compile(r"[Tt]oken|TOKEN|[Rr]efresh|REFRESH|[Aa]ccess|ACCESS|[Bb]earer|BEARER|[Ss]ecret|SECRET")
# Told much sooner, and wrong only in rare cases that WORDS then settles.
_STEMS = ("oken", "efresh", "ccess", "earer", "ecret")
# Printable, without spaces, long enough to be a credential.
OPAQUE = re.compile(r"[\x21-\x7e]{16,}")
# What only base64 of the standard alphabet has, so a value in it that does not decode was cut short.
CUT_SHORT = re.compile(r"(?=.*[+/=])[A-Za-z0-9+/]*={0,2}")
# What that alphabet has not: such a value is of another kind than its neighbours, or all are in the URL alphabet.
URL_ONLY = re.compile(r"[-_]")
# Version byte 0x80 and a time of this century, in base64.
FERNET = "gAAAAA"
# What JavaScript writes when there was no value.
NOTHING = frozenset({"undefined", "null", "nan", "none", "false", "''", '""', "{}"})


def is_nothing(stored: object) -> bool:
    """Whether *stored* holds no value, or only the word for none."""
    if not isinstance(stored, str | bytes):
        return stored is None
    if len(stored) > 9:
        return False
    text = stored.decode("latin-1") if isinstance(stored, bytes) else stored
    text = text.strip().lower()
    return not text or text in NOTHING


def unsealed(stored: str | bytes, *, sealed_form: bool) -> State:
    """What *stored* is, given that no key opened it; *sealed_form*: it has the form of a sealed value.

    `plaintext` is told by a token's shape or words, `opaque` by being no sealed value; `foreign` is one in the URL
    alphabet or a token in plain, which the rest of its column tells.
    """
    text = stored.decode("latin-1") if isinstance(stored, bytes) else stored
    # An envelope in JSON may well name what it holds.
    if TOKEN.match(text) or (_has_word(text) and not (sealed_form and text.startswith("{"))):
        return "plaintext"
    if text.startswith(FERNET):
        return "other"
    if sealed_form:
        foreign = URL_ONLY.search(text) and text.isascii() and "." not in text and ":" not in text
        return "foreign" if foreign else "unopened"
    opaque = OPAQUE.fullmatch(text) and not text.startswith(("{", "[")) and not CUT_SHORT.fullmatch(text)
    return "opaque" if opaque else "malformed"


def _has_word(text: str) -> bool:
    lower = text.lower()
    return any(stem in lower for stem in _STEMS) and WORDS.search(text) is not None
