"""A knowledge base to write documents into."""

from collections.abc import Callable
from pathlib import Path

import pytest

from mcp_daan.config import Knowledge
from mcp_daan.knowledge.base import KnowledgeBase, open_knowledge
from mcp_daan.workspace import Workspace

Write = Callable[[str, str | bytes], Path]


@pytest.fixture
def base(workspace: Path) -> KnowledgeBase:
    """The workspace's knowledge base, still empty."""
    (workspace / "docs/knowledge/backend").mkdir(parents=True)
    return open_knowledge(Workspace(workspace.resolve()), Knowledge())


@pytest.fixture
def write(base: KnowledgeBase) -> Write:
    """Write a document by its name."""

    def write(name: str, content: str | bytes) -> Path:
        path = base.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write
