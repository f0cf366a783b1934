"""Quantities in a text: sizes, times, plain numbers, as English and Dutch write them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

Unit = Literal["bytes", "seconds", "days", "pieces"]

_POWERS = {"k": 1, "m": 2, "g": 3, "t": 4, "b": 0}
_TIMES = {"milli": 0.001, "ms": 0.001, "min": 60, "hour": 3600, "uur": 3600, "s": 1}
_MANY = {
    "k": 10**3,
    "thousand": 10**3,
    "duizend": 10**3,
    "million": 10**6,
    "miljoen": 10**6,
    "billion": 10**9,
    "miljard": 10**9,
}
_NUMBER = r"\d{1,3}(?:[.,  ]\d{3})+(?![\d])|\d+(?:[.,]\d+)?"
_QUANTITY = re.compile(
    rf"""(?ix) (?<![\w.,#?$€@/-]) (?P<number>{_NUMBER}) (?P<many>k(?![\w])|\s(?:thousand|duizend|million|miljoen|billion|miljard)\b)?
    (?: [\s-]? (?: (?P<size>(?:kilo|mega|giga)bytes?|[kmgt]i?b|bytes?|b)
      | (?P<time>milli\w+|ms|seconds?|seconden?|sec|s|min(?:utes?|uten|uut)?|hours?|uur)
      | (?P<days>days?|dag(?:en)?)
      | (?P<other>%|ns|µs|us|px|°|x|st|nd|rd|th|e) ) (?![\w]) )? (?![\w%/]|[.,]\d|-\d)"""
)


@dataclass(frozen=True)
class Quantity:
    """A quantity as written, and what it may be: 2 MB are 2,000,000 or 2,097,152 bytes."""

    text: str
    unit: Unit
    values: tuple[float, ...]
    start: int
    end: int


def quantities(text: str) -> Iterator[Quantity]:
    """Every quantity of *text* whose unit is known, or that has none."""
    for found in _QUANTITY.finditer(text):
        value = _value(found["number"]) * _MANY.get((found["many"] or "").strip().lower(), 1)
        unit: Unit = "pieces"
        values: tuple[float, ...] = (value,)
        if found["other"]:
            continue
        if found["size"]:
            power = _POWERS[found["size"][0].lower()]
            unit, values = "bytes", (value * 1000**power, value * 1024**power)
        elif found["time"]:
            word = found["time"].lower()
            factor = next(factor for begin, factor in _TIMES.items() if word.startswith(begin))
            unit, values = "seconds", (value * factor,)
        elif found["days"]:
            unit = "days"
        yield Quantity(found.group().strip(), unit, values, found.start(), found.end())


def _value(number: str) -> float:
    """1,000 and 1.000 are a thousand; 1,5 and 1.5 are one and a half."""
    if re.fullmatch(r"\d{1,3}(?:[.,\s]\d{3})+", number):
        return float(re.sub(r"\D", "", number))
    return float(number.replace(",", "."))
