"""What of names, values and metadata may be shown: the rules of D1's columns, for text that has no columns.

It may be blunt: who hides a content hash loses little, who shows a session's id gives the session away.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import lru_cache
from itertools import count
from typing import Any

from mcp_daan.protocol import SAFE_INTEGER, to_json
from mcp_daan.scrub import MASK, SHAPES
from mcp_daan.secret_names import name_segments, secret_name
from mcp_daan.workers.kv.devalue import flattened, whole
from mcp_daan.workers.kv.keys import parsed

# How `@cloudflare/workers-oauth-provider` names what it keeps; behind it stand user ids and hashes of tokens.
PROVIDER = re.compile(r"(client|grant|token|transaction):", re.IGNORECASE)
# What its records hold that is no secret; ids in them are hashes of tokens.
PROVIDER_SHOWN = frozenset(
    """
    scope scopes createdAt expiresAt registrationDate registrationExpiresAt clientId clientName clientUri redirectUri
    redirectUris logoUri policyUri tosUri grantTypes responseTypes tokenEndpointAuthMethod resource audience grant
    """.split()
)
SEPARATOR = re.compile(r"([:/|#?&=]+)")
# Words besides those of secret columns: who knows what such a name stands for is let in.
BEARERS = frozenset(
    """
    session sessions sess sid csrf xsrf nonce verifier challenge magic reset verify verification invite invitation
    ticket pin pwd bearer authorization credential credentials assertion signature encrypted wrapped sealed
    """.split()
)
HARMLESS_LAST = frozenset("at count type url hint expires length size name ttl".split())
# A run that is longer than words are; of chance if letters and digits are in it.
RUN = re.compile(r"[A-Za-z0-9+/]{20,}")
DIGIT, LETTER = re.compile(r"[0-9]"), re.compile(r"[A-Za-z]")
LONG = 40
CHANCE = re.compile(r"[\w+/=.:$|-]+")
# In a namespace of sessions, any name with a number and of this length may be a session's.
ID_LENGTH = 16
# `name=value`, `"name": "value"` and `Name: value` in text.
NAMED = re.compile(r"""(?<![\w.-])(?P<name>[A-Za-z_][\w.-]{0,200})["']?\s{0,8}[=:]\s{0,8}""")
VALUE = re.compile(r"""\"[^"\n]*"|'[^'\n]*'|(?:(?:Bearer|Basic|Token)\s)?[^\s"',;&<>]+""")
# Longer ones are judged each time: they are rare, and the judgements are kept.
NAME_LENGTH = 200
# JSON in a string in JSON, and so on.
MOST_NESTED = 3


def provider_key(name: str) -> bool:
    """Whether *name* is one of an OAuth provider's keys."""
    return PROVIDER.match(name) is not None


def random_looking(text: str) -> bool:
    """Whether *text* as a whole is long and looks like chance: a key, a hash, a sealed value."""
    if len(text) < LONG or "://" in text or not CHANCE.fullmatch(text):
        return False
    return any(DIGIT.search(run[0]) and LETTER.search(run[0]) for run in RUN.finditer(text))


@dataclass(frozen=True)
class Masking:
    """The rules of one workspace; *columns* are the patterns of columns that its settings call secret."""

    columns: tuple[str, ...] = ()

    def bearing(self, name: str) -> bool:
        """Whether what belongs to *name* is a secret: by the rules of columns, or because it opens a door."""
        if len(name) > NAME_LENGTH:
            return _bearing(name, self.columns)
        return _bearing_kept(name, self.columns)

    def name(self, name: str, labels: Sequence[str] = ()) -> str:
        """The key *name* as it may be shown; *labels* are what its namespace is called.

        Behind a word such as `session:` all is masked; in a namespace that is called so, whatever could be an id.
        """
        if found := PROVIDER.match(name):
            return found[0] + MASK
        return self._in_parts(name, private=any(self.bearing(label) for label in labels))

    def whole_value(self, name: str) -> bool:
        """Whether the value of the key *name* is a secret as a whole; a session's is not, it holds more than its id."""
        parts = SEPARATOR.split(name)[::2]
        return not provider_key(name) and any(secret_name(part) or _named(part, self.columns) for part in parts)

    def json(self, value: Any, *, provider: bool = False, nested: int = 0) -> Any:
        """*value* as it may be shown; of an OAuth *provider*'s record only what is known to be harmless."""
        if isinstance(value, dict):
            return self._object(value, provider, nested)
        if isinstance(value, list):
            return self._list(value, provider, nested)
        if isinstance(value, str):
            return self.text(value, provider=provider, nested=nested)
        if isinstance(value, int) and not -SAFE_INTEGER <= value <= SAFE_INTEGER:
            return str(value)
        return str(value) if isinstance(value, float) and not math.isfinite(value) else value

    def text(self, text: str, *, provider: bool = False, nested: int = 0) -> str:
        """*text* without the secrets in it; JSON in it is masked as JSON."""
        if text.lstrip()[:1] in ("{", "[", '"') and nested < MOST_NESTED:
            try:
                read = parsed(text)
            except ValueError:
                pass
            else:
                shown = self.json(read, provider=provider, nested=nested + 1)
                return text if shown == read else to_json(shown)
        if random_looking(text):
            return MASK
        if "://" in text and not any(map(str.isspace, text)):
            text = self._in_parts(text, private=False)
        return SHAPES.sub(MASK, self._without_named(text))

    def _object(self, value: Mapping[str, Any], provider: bool, nested: int) -> dict[str, Any]:
        # {"name": "token", "value": "..."}, as cookies and headers are kept.
        named = next((value[key] for key in ("name", "key") if isinstance(value.get(key), str)), "")
        entry = self.bearing(named)
        shown: dict[str, Any] = {}
        for key, held in value.items():
            hidden = key not in PROVIDER_SHOWN if provider else self.bearing(key) or (key == "value" and entry)
            name = self._in_parts(key, private=False)
            if name in shown or name != key:
                name = next(each for number in count(len(shown) + 1) if (each := f"{name} {number}") not in shown)
            shown[name] = _hidden(held) if hidden else self.json(held, provider=provider, nested=nested)
        return shown

    def _list(self, value: list[Any], provider: bool, nested: int) -> Any:
        if flattened(value):
            try:
                return self.json(whole(value), provider=provider, nested=nested)
            except ValueError:
                return MASK
        # Names with their values, as the entries of a Map are kept.
        pairs = bool(value) and all(
            isinstance(each, list) and len(each) == 2 and isinstance(each[0], str) for each in value
        )
        return [
            [each[0], _hidden(each[1])]
            if pairs and self.bearing(each[0])
            else self.json(each, provider=provider, nested=nested)
            for each in value
        ]

    def _in_parts(self, text: str, *, private: bool) -> str:
        """*text* with what stands behind a word for a secret masked, and each part that is one by its looks."""
        parts = SEPARATOR.split(text)
        for place in range(0, len(parts) - 1, 2):
            if self.bearing(parts[place]):
                return "".join([*map(_part, parts[:place]), *parts[place : place + 2], MASK])
        return "".join(part if place % 2 else _part(part, private) for place, part in enumerate(parts))

    def _without_named(self, text: str) -> str:
        """*text* without the values that stand behind the name of a secret."""
        kept: list[str] = []
        done = 0
        for named in NAMED.finditer(text):
            if named.start() >= done and self.bearing(named["name"]) and (value := VALUE.match(text, named.end())):
                kept += [text[done : named.end()], MASK]
                done = value.end()
        return "".join([*kept, text[done:]])


def _bearing(name: str, columns: tuple[str, ...]) -> bool:
    words = name_segments(name)
    opens = bool(words) and words[-1] not in HARMLESS_LAST and not BEARERS.isdisjoint(words)
    return opens or secret_name(name) or _named(name, columns)


_bearing_kept = lru_cache(maxsize=4096)(_bearing)


def _named(name: str, columns: tuple[str, ...]) -> bool:
    """Whether the settings call *name* secret, as a column of whatever table."""
    return any(fnmatchcase(name.lower(), pattern.lower().rpartition(".")[2]) for pattern in columns)


def _hidden(value: Any) -> Any:
    return value if value is None or isinstance(value, bool) else MASK


def _part(part: str, private: bool = False) -> str:
    could_be_id = private and len(part) >= ID_LENGTH and any(map(str.isdigit, part))
    return MASK if could_be_id or random_looking(part) else SHAPES.sub(MASK, part)
