"""Values of a row as they travel: exact, and never larger than a glance needs."""

import math
from collections.abc import Sequence
from typing import TypeAlias

SQLValue: TypeAlias = int | float | str | bytes | None
WireValue: TypeAlias = int | float | str | dict[str, int | str] | None
# JSON readers keep numbers as doubles, which are exact only so far.
SAFE_INTEGER = 2**53 - 1
GLANCE_BYTES = 32
MASK = "***"


class BrokenText(bytes):
    """A TEXT value that is not UTF-8."""


class Glance(bytes):
    """The first bytes of a blob of *whole* bytes."""

    def __new__(cls, start: bytes, whole: int) -> "Glance":
        glance = super().__new__(cls, start)
        glance.whole = whole
        return glance

    whole: int

    def __repr__(self) -> str:
        return f"{self.whole}:{super().__repr__()}"


def to_wire(value: SQLValue) -> WireValue:
    """*value* for JSON.

    An integer beyond ±(2^53-1) becomes a string, a blob `{"blob": bytes, "hex": the first 32}`, text that is not
    UTF-8 `{"bytes": n, "hex": …}`; infinities become the strings "Infinity" and "-Infinity" (SQLite has no NaN).
    """
    if isinstance(value, int):
        return value if -SAFE_INTEGER <= value <= SAFE_INTEGER else str(value)
    if isinstance(value, float) and math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, bytes):
        kind = "bytes" if isinstance(value, BrokenText) else "blob"
        size = value.whole if isinstance(value, Glance) else len(value)
        return {kind: size, "hex": value[:GLANCE_BYTES].hex()}
    return value


def column_to_wire(values: Sequence[SQLValue]) -> Sequence[WireValue]:
    """`to_wire` of each of *values*, which are mostly of one type."""
    kinds = set(map(type, values))
    plain = kinds <= {str, type(None)}
    if kinds == {int}:
        plain = min(values) >= -SAFE_INTEGER and max(values) <= SAFE_INTEGER  # type: ignore[type-var,operator]
    elif kinds == {float}:
        plain = -math.inf < min(values) and max(values) < math.inf  # type: ignore[type-var,operator]
    return values if plain else [to_wire(value) for value in values]  # type: ignore[return-value]
