"""A statement of the comparison, and the files that hold most of them."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent / "statements"


@dataclass(frozen=True)
class Statement:
    """One statement with the values of its parameters."""

    category: str
    sql: str
    parameters: tuple[str | float | bool | None, ...] = ()


def written() -> Iterator[Statement]:
    """The statements in `statements/`, one a line; a line that starts with `#` is a heading."""
    for path in sorted(FOLDER.glob("*.sql")):
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.strip() and not line.startswith("#"):
                yield Statement(path.stem, line)
