"""A portal whose database is looked at."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mcp_daan.protocol import Answer
from mcp_daan.toolbox import tools_in
from mcp_daan.tools import checks
from tests.asking import run
from tests.migrations.conftest import Portal as AnyPortal

TOOL = tools_in(checks)["d1_check"]


class Portal(AnyPortal):
    """The portal, and what d1_check says of it."""

    def checked(self, **arguments: object) -> Answer:
        """One call of d1_check."""
        return run(TOOL, self.app.for_call(), {"database": "portal-db", **arguments})

    def check(self, code: str, **arguments: object) -> dict[str, Any]:
        """What one check says."""
        answer = self.checked(**arguments)
        assert answer.error is None, answer.error
        found: dict[str, Any] = next(each for each in answer.data["checks"] if each["code"] == code)
        return found


@pytest.fixture
def empty(workspace: Path) -> Iterator[Portal]:
    """The portal before its database is made."""
    portal = Portal(workspace)
    yield portal
    portal.app.close()
