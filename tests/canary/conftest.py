"""A world of planted secrets for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.canary.world import World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A world of the test's own."""
    made = World(tmp_path)
    yield made
    made.close()
