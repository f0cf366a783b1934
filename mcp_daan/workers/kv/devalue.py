"""Values as Astro keeps its sessions: `devalue` writes each part once, in one list, and numbers in the others' place.

Taken for JSON, such a list tells nothing of which name a text belongs to.
"""

from typing import Any

# What one part refers to can refer to others, each many times.
MOST_PARTS = 20_000
# Numbers below zero stand for what JSON has not: undefined, a hole, NaN, infinities, -0.
CONTAINERS = ("Map", "Set", "null")
KINDS = frozenset("Map Set Date RegExp BigInt Object null URL URLSearchParams Number String Boolean".split())
CONSTANTS: dict[int, Any] = {-1: None, -2: None, -3: "NaN", -4: "Infinity", -5: "-Infinity", -6: 0}


def flattened(value: list[Any]) -> bool:
    """Whether *value* is such a list: its parts hold nothing but numbers of other parts, and every part is meant."""
    if not any(isinstance(part, dict) or _kind(part) for part in value):
        return False
    meant = {0}
    for part in value:
        for number in _numbers(part):
            if type(number) is not int or not min(CONSTANTS) <= number < len(value):
                return False
            meant.add(number)
    return meant >= set(range(len(value)))


def whole(parts: list[Any]) -> Any:
    """What *parts* say, put together. ValueError where they go in circles or swell beyond measure."""
    left = MOST_PARTS

    def part(number: int, above: tuple[int, ...]) -> Any:
        nonlocal left
        left -= 1
        if left < 0 or number in above or len(above) > 30:
            raise ValueError
        if number < 0:
            return CONSTANTS[number]
        below = (*above, number)
        found = parts[number]
        if isinstance(found, dict):
            return {name: part(each, below) for name, each in found.items()}
        kind = _kind(found)
        if kind in ("Map", "null"):
            pairs = [part(each, below) if type(each) is int else each for each in found[1:]]
            names, values = pairs[::2], pairs[1::2]
            if all(isinstance(name, str) for name in names) and len(set(names)) == len(values):
                return dict(zip(names, values, strict=True))
            return [list(pair) for pair in zip(names, values, strict=False)]
        if kind == "Set" or (kind is None and isinstance(found, list)):
            return [part(each, below) for each in (found[1:] if kind else found)]
        if kind:
            return part(found[1], below) if type(found[1]) is int else found[1]
        return found

    return part(0, ())


def _kind(part: Any) -> str | None:
    """`Map`, `Date` and the like, where *part* is such a one."""
    named = isinstance(part, list) and bool(part) and isinstance(part[0], str) and part[0] in KINDS
    return part[0] if named and (len(part) > 1 or part[0] in CONTAINERS) else None


def _numbers(part: Any) -> list[Any]:
    """What stands in *part* in the place of other parts."""
    if isinstance(part, dict):
        return list(part.values())
    kind = _kind(part)
    if kind in ("Map", "Set"):
        return list(part[1:])
    if kind == "null":
        return list(part[2::2])
    if kind:  # a text of its own, or in another part
        return part[1:2] if type(part[1]) is int else []
    return part if isinstance(part, list) else []
