"""The keys of a namespace, as they are listed: names, expiry and metadata, not yet masked."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

# KV's own limit is 1024 bytes, which may nest deeper than any reader on the way takes.
MOST_LEVELS = 40


@dataclass(frozen=True)
class Key:
    """One key; `expiration` in seconds of the epoch, None when it stays."""

    name: str
    expiration: float | None = None
    metadata: Any = None


@dataclass(frozen=True)
class Keys:
    """Keys in KV's order; `more` says that there are others after them."""

    keys: Sequence[Key]
    more: bool


def parsed(text: str) -> Any:
    """The JSON in *text*. ValueError for anything else, and for what is nested deeper than an answer may be."""
    try:
        value = json.loads(text, parse_constant=_refuse)
    except RecursionError:
        raise ValueError from None
    if too_deep(value):
        raise ValueError
    return value


def _refuse(constant: str) -> None:
    raise ValueError(constant)


def too_deep(value: Any) -> bool:
    """Whether *value* is nested deeper than an answer may be."""
    standing = [(value, 1)]
    while standing:
        each, level = standing.pop()
        if isinstance(each, dict | list):
            if level > MOST_LEVELS:
                return True
            standing += [(child, level + 1) for child in (each.values() if isinstance(each, dict) else each)]
    return False
