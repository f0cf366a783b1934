"""The last net: no secret leaves in any text that the process emits.

It stands behind the engine's own masking, so it may be blunt: what looks like a credential, and every
secret value that this process knows in plain, base64 or hex, becomes `***`.
"""

import base64
import json
import re
from collections.abc import Iterable
from urllib.parse import quote

from pydantic_core import SchemaValidator
from pydantic_core.core_schema import str_schema

from mcp_daan.protocol import encodable

MASK = "***"

# Anchored shapes of real credentials; entropy is no judge (GUIDs and hashes look alike).
SHAPES = re.compile(
    r"""(?x)
      stamp[A-Z]{2}\d{3}\.[\w!%./+=-]{12,}                      # Exact Online tokens
    | (?<![\w-])cf(?:k|ut|at|oat)_[A-Za-z0-9_-]{30,}            # Cloudflare tokens
    | (?<![\w-])eyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]{8,}           # JSON Web Tokens
    | -----BEGIN\ [A-Z ]*PRIVATE\ KEY-----(?:[^-"]|-(?!----END))*(?:-----END\ [A-Z ]*PRIVATE\ KEY-----)?
    | (?<![\w-])gh[pousr]_[A-Za-z0-9]{30,}                      # GitHub
    | (?<![\w-])github_pat_\w{30,}
    | (?<![\w-])sk-[A-Za-z0-9_-]{20,}                           # OpenAI, Anthropic
    | (?<![\w-])sk_(?:live|test)_[A-Za-z0-9]{16,}               # Stripe
    | (?<![A-Z0-9])AKIA[A-Z0-9]{16}(?![A-Z0-9])                 # AWS
    | (?<![\w-])npm_[A-Za-z0-9]{36}
    | (?<![\w-])daan_[A-Za-z0-9_-]{40,}                         # our own, of callers over HTTP
    | (?<![\w-])ops_eyJ[\w-]{20,}                               # 1Password
    | (?<![\w-])xox[abprs]-[A-Za-z0-9-]{10,}                    # Slack
    | (?<![0-9a-f])[0-9a-f]{24}:[0-9a-f]{32}:[0-9a-f]{16,}      # iv:tag:ciphertext in hex
    """
)


# One of these stands in whatever has such a shape: told some hundred times sooner than the shapes themselves, and by
# the engine of pydantic, which looks for all of them at once. It takes no text that has no UTF-8 form.
MARKS = (
    "stamp cfk_ cfut_ cfat_ cfoat_ eyJ PRIVATE ghp_ gho_ ghu_ ghs_ ghr_ github_pat_ sk- sk_live_ sk_test_ AKIA npm_ daan_ ops_"
    " xoxa- xoxb- xoxp- xoxr- xoxs-"
).split()
_MARKED = SchemaValidator(str_schema(pattern="|".join([*MARKS, ":[0-9a-f]{32}:"])))


class Secrets:
    """The secret values that this process knows. It has no repr and cannot be pickled or iterated."""

    __slots__ = ("_forms", "_pattern")

    def __init__(self, values: Iterable[str] = ()) -> None:
        forms = {form for value in values if len(value) >= 8 for form in _forms(value)}
        self._forms = sorted(forms, key=lambda form: (-len(form), form))
        self._pattern = re.compile("|".join(map(re.escape, self._forms)))

    def __repr__(self) -> str:
        return "Secrets(***)"

    def __reduce__(self) -> str:
        raise TypeError("secrets are not pickled")

    def scrub(self, text: str) -> str:
        """*text* without any known secret and without anything of a credential's shape."""
        # Most texts hold none, which is told sooner one by one.
        if any(form in text for form in self._forms):
            text = self._pattern.sub(MASK, text)
        return SHAPES.sub(MASK, text) if _may_be_shaped(text) else text


def shaped(text: str) -> bool:
    """Whether *text* holds something of a credential's shape."""
    return _may_be_shaped(text) and SHAPES.search(text) is not None


def _may_be_shaped(text: str) -> bool:
    return _MARKED.isinstance_python(text) or not encodable(text)


def _forms(value: str) -> set[str]:
    raw = value.encode("utf-8", "replace")
    forms = {value, json.dumps(value)[1:-1], raw.hex(), raw.hex().upper(), quote(value, safe="")}
    forms.add(base64.b64encode(raw).decode().rstrip("="))
    forms.add(base64.urlsafe_b64encode(raw).decode().rstrip("="))
    for decode in (bytes.fromhex, _b64):
        try:
            key = decode(value)
        except ValueError:
            continue
        if len(key) >= 16:
            forms |= {
                key.hex(),
                key.hex().upper(),
                base64.b64encode(key).decode().rstrip("="),
                base64.urlsafe_b64encode(key).decode().rstrip("="),
            }
    return forms


def _b64(value: str) -> bytes:
    return base64.b64decode(value, validate=True)
