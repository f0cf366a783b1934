"""What D1 answers over its API, the remote tool answers: whatever stands around the statement on its way."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mcp_daan.errors import DaanError
from tests.differential.known import reason
from tests.differential.statement import Statement, written
from tests.differential.test_engine import difference

from .conftest import IDS, Account, code, statements

SCHEMA = Path(__file__).parents[1] / "differential/schema.sql"
ASKED = [each for each in written() if each.category != "writes" and reason(each) is None]


@pytest.mark.parametrize("step", [6, pytest.param(1, marks=pytest.mark.long)])
def test_every_statement_that_is_answered_has_the_rows_that_d1_gives(
    account: Account, scratch: Callable[..., None], step: int
) -> None:
    """Columns, rows and their order; a refusal is another page's matter."""
    scratch(*statements(SCHEMA.read_text(encoding="utf-8")))
    different: list[tuple[str, str]] = []
    answered = 0
    for each in ASKED[::step]:
        ours = account.query("scratch", each.sql, parameters=list(each.parameters), limit=1000)
        if code(ours) is None:
            answered += 1
            told = difference(_raw(account, each), ours)
            different += [(each.sql, told)] if told else []

    assert different == []
    assert answered > 400 / step


def _raw(account: Account, asked: Statement) -> dict[str, Any]:
    path = account.owner.account("d1", "database", IDS["scratch"], "raw")
    params = [int(value) if isinstance(value, bool) else value for value in asked.parameters]
    try:
        found = account.owner.read(path, {"sql": asked.sql, "params": params}).result[0]
    except DaanError as error:
        return {"success": False, "error": error.upstream.text if error.upstream else ""}
    return {"success": True, **found["results"]}
