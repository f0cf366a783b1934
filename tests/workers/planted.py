"""The workspaces of the check: clean ones, and one for each planted fault; how they are made and judged."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from mcp_daan.app import App
from mcp_daan.toolbox import tools_in
from mcp_daan.tools import workers
from tests.asking import run
from tests.workers import faults
from tests.workers.astro_faults import ASTRO_FAULTS
from tests.workers.faults import Fault

CLEAN = sorted((Path(__file__).parent / "clean").iterdir())
TODAY = "2026-11-22T12:00:00Z"
FAULTS: list[Fault] = [
    *faults.FILES_FAULTS,
    *faults.KEY_FAULTS,
    *faults.DATE_FAULTS,
    *faults.ENVIRONMENT_FAULTS,
    *faults.DATABASE_FAULTS,
    *faults.SECRET_FAULTS,
    *faults.RUNNING_FAULTS,
    *faults.LOOP_FAULTS,
    *ASTRO_FAULTS,
]
Found = tuple[str, str, int | None]


def checked(folder: Path, **arguments: Any) -> dict[str, Any]:
    """The answer of `workers_check` on the workspace *folder*."""
    app = App(str(folder), {"DAAN_NOW": TODAY})
    try:
        return run(tools_in(workers)["workers_check"], app, arguments).model_dump(by_alias=True)
    finally:
        app.close()


def found(answer: dict[str, Any]) -> list[Found]:
    """(code, path, line) of each finding."""
    return [(each["code"], each["path"], each.get("line")) for each in answer["data"]["findings"]]


def planted(fault: Fault, folder: Path) -> Path:
    """The workspace of *fault*, made in *folder*."""
    written(folder, fault.files.items())
    if fault.daan:
        (folder / "daan.toml").write_text(fault.daan)
    return folder


def written(folder: Path, files: Iterable[tuple[str, str]]) -> None:
    """Write *files* below *folder*."""
    for name, text in files:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
