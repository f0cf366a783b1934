"""What the server has to show, made out of the same tables (`make docs` writes it), so that a start need not load them."""

import json
import os
from functools import cache
from typing import Any, TypedDict

FILE = os.path.join(os.path.dirname(__file__), "catalog.json")  # noqa: PTH118, PTH120 - pathlib costs 5 ms of the start


class Listed(TypedDict):
    """One tool: its set, whether it reads only, and its entry in `tools/list`."""

    name: str
    toolset: str
    readsOnly: bool
    needs: list[str]
    entry: dict[str, Any]


@cache
def catalog() -> dict[str, Any]:
    """The catalog, read once."""
    with open(FILE, encoding="utf-8") as file:  # noqa: PTH123 - as above
        read: dict[str, Any] = json.load(file)
    return read
