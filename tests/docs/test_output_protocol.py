"""docs/output-protocol.md has the keys and codes of the protocol."""

import json
import re
from pathlib import Path
from typing import get_args

from mcp_daan.protocol import Answer, Problem

PAGE = (Path(__file__).parents[2] / "docs" / "output-protocol.md").read_text(encoding="utf-8")
FIRST_CELLS = re.findall(r"^\| `(\w+)` \|", PAGE, re.M)


def test_the_example_is_an_answer() -> None:
    """The object on the page is one that the server could give, key for key."""
    shown = json.loads(re.findall(r"```json\n(.*?)```", PAGE, re.S)[0])

    assert Answer.model_validate(shown).model_dump(by_alias=True) == shown


def test_every_key_and_every_error_code_is_explained() -> None:
    """The tables have all of them, in the order of the code for keys."""
    keys = [field.alias for field in Answer.model_fields.values()]
    codes = set(get_args(Problem.model_fields["code"].annotation))

    assert keys == FIRST_CELLS[: len(keys)]
    assert codes == set(FIRST_CELLS[len(keys) :])
