"""Which names stand for secrets; the process that runs statements loads it, so it imports nothing large."""

import re

_SEGMENT = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+|[^\W\d_a-zA-Z]+")
_SECRET_SEGMENTS = frozenset(
    "token tokens secret secrets password passwords passwd passphrase hash hashes hashed cipher ciphertext enc salt"
    " otp totp cookie cookies jwt".split()
)
_SECRET_ENDINGS = (("api", "key"), ("private", "key"), ("apikey",), ("privatekey",))
_HARMLESS_LAST = frozenset("at count type url id hint expires".split())


def name_segments(name: str) -> tuple[str, ...]:
    """The words of a name, split at `_` and at capitals, in lower case and without numbers."""
    return tuple(part.lower() for part in _SEGMENT.findall(name) if not part.isdigit())


def secret_name(name: str) -> bool:
    """Whether a column, variable or key called *name* holds a secret, by the segments of its name."""
    segments = name_segments(name)
    if not segments or segments[-1] in _HARMLESS_LAST:
        return False
    return not _SECRET_SEGMENTS.isdisjoint(segments) or any(segments[-len(end) :] == end for end in _SECRET_ENDINGS)
