"""Where wrangler keeps local data (facts of wrangler 4.164, miniflare 5)."""

import hashlib
import hmac
from collections.abc import Sequence
from pathlib import Path

from mcp_daan.remembered import Looks

STATE = Path(".wrangler/state/v3")


def state_folders(root: Path, persist: Sequence[str], app: Path) -> list[Path]:
    """The state folders that *persist* names below *root*, else the one beside the configuration in *app*."""
    return [root / folder for folder in persist] or [app / STATE]


def object_files(
    states: Sequence[Path], kind: str, unique_key: str, name: str, looks: Looks | None = None
) -> list[Path]:
    """Where the file of an object is, in each state folder that has it; else where it would be made.

    *kind* is wrangler's folder for such objects: `d1`, `kv`.
    """
    looks = looks or Looks()
    folders = [state / "v3" if looks.is_dir(state / "v3" / kind) else state for state in states]
    paths = [folder / kind / unique_key / object_file(unique_key, name) for folder in folders]
    return [path for path in paths if looks.is_file(path)] or paths[:1]


def object_file(unique_key: str, name: str) -> str:
    """The name that miniflare gives the file of the object *name*: a Durable Object's id."""
    key = hashlib.sha256(unique_key.encode()).digest()
    first = hmac.digest(key, name.encode(), "sha256")[:16]
    return (first + hmac.digest(key, first, "sha256")[:16]).hex() + ".sqlite"
