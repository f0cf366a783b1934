"""Real configurations, and values to break them with."""

from typing import Any

from hypothesis import strategies as st

from mcp_daan.workspace import Workspace
from tests.workers.planted import CLEAN

REAL = [app.values for folder in CLEAN for app in Workspace(folder).apps if "made" not in app.path.parts]
JUNK = st.sampled_from(
    [None, True, 0, 1.5, "", "x", [], ["x"], {}, {"x": 1}, [{}], [{"binding": "A"}], {"enabled": True}]
)


def places(value: Any) -> list[Any]:
    """The keys or indexes of *value*."""
    return list(value) if isinstance(value, dict) else list(range(len(value)))
