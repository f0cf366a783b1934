"""The pages on clients show what `mcp-daan install` really writes."""

import json
import re
from pathlib import Path

import pytest

from mcp_daan.setup.install import CLIENTS, program, shown

PAGES = Path(__file__).parents[2] / "docs" / "clients"


@pytest.mark.parametrize("client", CLIENTS)
def test_the_page_of_a_client_shows_the_entry_that_is_written(client: str) -> None:
    """With paths of nobody's machine."""
    page = (PAGES / f"{client}.md").read_text(encoding="utf-8")
    found = re.search(rf"<!-- entry {client} -->\n```json\n(.*?)```", page, re.S)
    assert found is not None
    written = json.dumps(shown(client, Path("/path/to/your/project")))

    assert json.loads(found[1]) == json.loads(written.replace(json.dumps(program()[0]), '"/path/to/bin/mcp-daan"'))


@pytest.mark.parametrize("client", CLIENTS)
def test_the_page_of_a_client_tells_how_to_begin(client: str) -> None:
    """The command stands there as it is typed."""
    assert f"mcp-daan install {client}" in (PAGES / f"{client}.md").read_text(encoding="utf-8")
