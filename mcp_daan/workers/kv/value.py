"""A value of KV as it may be shown: JSON as JSON, text as text, anything else by its size and first bytes."""

from dataclasses import dataclass
from typing import Any, Literal

from mcp_daan.protocol import json_bytes, to_json
from mcp_daan.scrub import MASK
from mcp_daan.workers.kv.keys import parsed
from mcp_daan.workers.kv.local import Stored
from mcp_daan.workers.kv.masking import Masking, provider_key

Kind = Literal["json", "text", "binary"]
# What is read of a value; a piece of JSON cannot be masked, so what is larger is not shown at all.
READ_BYTES = 1 << 20
GLANCE_BYTES = 32


@dataclass(frozen=True)
class Shown:
    """A value or a part of it; `rest` is where the next part begins, None after the last. No kind: nothing is shown."""

    value: Any
    kind: Kind | None
    masked: bool
    rest: int | None = None


def shown(stored: Stored, masking: Masking, *, start: int = 0, room: int) -> Shown:
    """The value in *stored* without secrets, from *start* on, in at most *room* bytes of JSON.

    JSON that does not fit comes as text, in parts.
    """
    if masking.whole_value(stored.key.name):
        return Shown(MASK, None, masked=True)
    if stored.size is None or stored.size > READ_BYTES or len(stored.data) > READ_BYTES:
        return Shown(None, None, masked=False)
    try:
        text = stored.data.decode()
    except UnicodeDecodeError:
        return Shown({"blob": len(stored.data), "hex": stored.data[:GLANCE_BYTES].hex()}, "binary", masked=False)
    provider = provider_key(stored.key.name)
    try:
        read = parsed(text)
    except ValueError:
        clean = MASK if provider else masking.text(text)
        return _part(clean, "text", clean != text, start, room)
    value = masking.json(read, provider=provider)
    if start == 0 and json_bytes(value) <= room:
        return Shown(value, "json", value != read)
    return _part(value if isinstance(value, str) else to_json(value), "json", value != read, start, room)


def _part(text: str, kind: Kind, masked: bool, start: int, room: int) -> Shown:
    part = text[start : start + room]
    while (size := json_bytes(part)) > room:
        part = part[: min(len(part) - 1, len(part) * room // size)]
    end = start + len(part)
    return Shown(part, kind, masked, end if end < len(text) else None)
