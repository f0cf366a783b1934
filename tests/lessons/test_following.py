"""Resources follow what happens on the disk, as a real client of a real process hears and reads it."""

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from mcp import Client, MCPError

from mcp_daan.demo.workspace import make_workspace
from tests.stdio.test_process import parameters


@pytest.fixture
def demo(tmp_path: Path) -> Path:
    """A demo workspace."""
    make_workspace(tmp_path / "workspace", datetime.now(UTC))
    return tmp_path / "workspace"


async def names(client: Client) -> set[str]:
    """The addresses that are listed now."""
    return {str(each.uri) for each in (await client.list_resources()).resources}


@pytest.mark.asyncio
async def test_files_that_come_change_and_go_are_listed_read_and_heard_of(demo: Path) -> None:
    """A new lesson, another text, a page taken away, a database named: each is heard, and seen at the next look."""
    folder = demo / "docs/knowledge/backend"
    uri, file = "knowledge://backend/NEW.md", folder / "NEW.md"
    async with (
        Client(parameters(demo), mode="auto") as client,
        client.listen(resource_subscriptions=[uri], resources_list_changed=True) as heard,
    ):
        events = aiter(heard)
        file.write_text("# New\n")
        first = {type(await asyncio.wait_for(anext(events), 20)).__name__ for _ in range(2)}
        assert uri in await names(client)
        file.write_text("# New\n\nWith more words.\n")
        changed = type(await asyncio.wait_for(anext(events), 20)).__name__
        text = (await client.read_resource(uri)).contents[0].text  # type: ignore[union-attr]
        file.unlink()
        last = {type(await asyncio.wait_for(anext(events), 20)).__name__ for _ in range(2)}
        assert uri not in await names(client)
        with pytest.raises(MCPError):
            await client.read_resource(uri)
        config = demo / "daan.toml"
        before = config.read_text() if config.exists() else ""
        config.write_text(f'{before}\n[d1.databases.archive]\npath = "archive.sqlite"\n')
        named = type(await asyncio.wait_for(anext(events), 20)).__name__
        listed = await names(client)

    assert first == last == {"ResourcesListChanged", "ResourceUpdated"}
    assert (changed, named) == ("ResourceUpdated", "ResourcesListChanged")
    assert text == "# New\n\nWith more words.\n"
    assert "d1://archive/schema" in listed


@pytest.mark.asyncio
async def test_a_lesson_that_is_appended_is_a_resource_and_its_view_is_heard_of(demo: Path) -> None:
    """Through the same client that subscribed."""
    view = "knowledge://backend/LESSONS-LEARNED.md"
    lesson = {"title": "Follow", "problem": "Nobody heard of it.", "solution": "Look again.", "component": "workers"}
    async with Client(parameters(demo), mode="auto") as client, client.listen(resource_subscriptions=[view]) as heard:
        done = json.loads((await client.call_tool("lessons_append", lesson)).content[0].text)  # type: ignore[union-attr]
        event = await asyncio.wait_for(anext(aiter(heard)), 20)
        listed = await names(client)

    assert str(getattr(event, "uri", "")) == view
    assert f"knowledge://{done['data']['path']}" in listed
