"""The state of everything as a resource: listed, read, and heard of when what it rests on changes."""

import asyncio
import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from mcp.client import Client
from mcp.client.stdio import StdioServerParameters

from mcp_daan.app import App
from mcp_daan.demo.workspace import APP, make_workspace
from mcp_daan.server.resources import STATUS
from mcp_daan.server.subscriptions import stamp


@pytest.fixture
def demo(tmp_path: Path) -> Path:
    """A demo workspace of the test's own."""
    make_workspace(tmp_path / "demo", datetime.now(UTC))
    return tmp_path / "demo"


def parameters(workspace: Path) -> StdioServerParameters:
    """A server process."""
    return StdioServerParameters(
        command=sys.executable, args=["-m", "mcp_daan", "serve", "--workspace", str(workspace)], env=dict(os.environ)
    )


@pytest.mark.asyncio
async def test_the_status_is_listed_read_and_heard_of(demo: Path) -> None:
    """What `infra_status` gives as `data`; a changed document is news."""
    async with Client(parameters(demo)) as client:
        listed = [each.uri for each in (await client.list_resources()).resources]
        read = json.loads((await client.read_resource(STATUS)).contents[0].text)  # type: ignore[union-attr]
        async with client.listen(resource_subscriptions=[STATUS]) as events:
            page = demo / "docs/knowledge/backend/DATABASE.md"
            page.write_text(page.read_text("utf-8") + "\nChanged.\n", "utf-8")
            event = await asyncio.wait_for(anext(aiter(events)), 20)

    assert STATUS in listed
    assert [each["component"] for each in read["components"]][:3] == ["knowledge", "d1", "oauth"]
    assert len(read["findings"]) == 10
    assert event.uri == STATUS  # type: ignore[union-attr]


def test_every_file_that_the_status_rests_on_is_news(demo: Path) -> None:
    """Documents, configurations, variables, migrations, databases, namespaces, the branch."""
    app = App(str(demo), {})
    seen = [stamp(app, STATUS)]
    database, namespace = (
        next(path for path in demo.rglob("*.sqlite") if kind in str(path) and path.name != "metadata.sqlite")
        for kind in ("D1", "KV")
    )
    for path in (
        demo / "docs/knowledge/backend/VERSION.md",
        demo / APP / "wrangler.jsonc",
        demo / APP / ".dev.vars",
        demo / ".git/HEAD",
        database,
        namespace,
    ):
        with path.open("ab") as file:
            file.write(b"\n")
        seen.append(stamp(app, STATUS))
    (demo / APP / "migrations/0009_new.sql").write_text("SELECT 1;")
    seen.append(stamp(app, STATUS))
    app.close()

    assert None not in seen
    assert len(set(seen)) == len(seen)
