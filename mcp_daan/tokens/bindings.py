"""Values that are bound to their row, and do not open there: were they copied from another row?"""

from collections.abc import Callable, Sequence
from typing import Any

from mcp_daan.tokens.stored import State

# A copy is a fault of the program, so a few values tell; each is tried on every row, which takes time.
MOST_VALUES = 32
MOST_TRIES = 60_000


class Bindings:
    """The data that the values of one column are bound to, row by row, and the first values that do not open."""

    def __init__(self) -> None:
        self._bound: list[bytes] = []
        self._shut: list[tuple[int, Any]] = []

    def note(self, start: int, bound: Sequence[bytes], states: Sequence[State], stored: Sequence[Any]) -> None:
        """Take in rows from *start* on: what each value is bound to, whether it opened, and the value."""
        self._bound += bound
        if len(self._shut) < MOST_VALUES:
            shut = (index for index, state in enumerate(states) if state in ("unopened", "foreign"))
            room = MOST_VALUES - len(self._shut)
            self._shut += [(start + index, stored[index]) for index, _ in zip(shut, range(room), strict=False)]

    def moved(self, peek: Callable[[Any, Sequence[bytes]], bytes | None]) -> set[int]:
        """The rows whose value opens with the data of another row; *peek* tries. To be asked once."""
        shut, self._shut = self._shut, []
        room = MOST_TRIES // len(shut) if shut else 0
        return {row for row, value in shut if peek(value, self._bound[:room]) is not None}
