"""The demo workspace, and the walk through the main job on it."""

import sys
from pathlib import Path


def run(folder: Path | None, as_json: bool) -> int:
    """Make the demo workspace (default: in the user's data folder) and walk through it; the exit code.

    0 when every step answered as expected, 1 when not, 2 when the workspace could not be made.
    """
    from mcp_daan.config import now
    from mcp_daan.demo.walk import walk
    from mcp_daan.demo.workspace import make_workspace
    from mcp_daan.errors import DaanError
    from mcp_daan.workspace import data_folder

    chosen = (folder or data_folder() / "demo").expanduser().absolute()
    try:
        make_workspace(chosen, now())
    except DaanError as error:
        sys.stderr.write(f"{error.message}\n{error.advice}\n")
        return 2
    return walk(chosen, json_output=as_json)
