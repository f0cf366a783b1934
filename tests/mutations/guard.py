"""A guard, and how it is taken away."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Guard:
    """A line that protects, what stands there without it, and the tests that must notice."""

    file: str
    line: str
    without: str
    tests: str
