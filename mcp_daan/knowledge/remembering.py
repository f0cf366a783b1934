"""Answers that stay true while what they were asked of stays as it is: kept by it, in the process and on the disk."""

import hashlib
import os
import tempfile
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from mcp_daan.scrub import shaped
from mcp_daan.workspace import cache_folder

KEPT = 128
LARGEST = 8 * 2**20
_known: OrderedDict[str, bytes] = OrderedDict()
_lock = threading.Lock()


def remembered(key: Sequence[str], compute: Callable[[], bytes]) -> bytes:
    """What *compute* gives, computed once for a *key* that names everything it depends on.

    What is on the disk may be deleted at any time, and is not believed when it is torn. Raises what *compute* raises.
    """
    name = hashlib.sha256("\0".join(key).encode("utf-8", "surrogateescape")).hexdigest()
    with _lock:
        if name in _known:
            _known.move_to_end(name)
            return _known[name]
    folder = cache_folder() / "branches"
    answer = _read(folder / name)
    if answer is None:
        answer = compute()
        # What is kept outside the workspace holds no credential.
        if len(answer) <= LARGEST and not shaped(answer.decode("latin-1")):
            _write(folder, name, answer)
    with _lock:
        _known[name] = answer
        while len(_known) > KEPT or sum(map(len, _known.values())) > 4 * LARGEST:
            _known.popitem(last=False)
    return answer


def forget() -> None:
    """Let the process forget; what is on the disk stays."""
    with _lock:
        _known.clear()


def _read(file: Path) -> bytes | None:
    try:
        kept = file.read_bytes()
    except OSError:  # not asked before, or the cache was emptied
        return None
    return kept[32:] if hashlib.sha256(kept[32:]).digest() == kept[:32] else None


def _write(folder: Path, name: str, answer: bytes) -> None:
    """Keep *answer*; a disk that does not take it only makes the next call slower."""
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        files = sorted(os.scandir(folder), key=lambda entry: entry.stat().st_mtime)
        for entry in files[: max(len(files) - KEPT + 1, 0)]:
            Path(entry.path).unlink(missing_ok=True)
        descriptor, temporary = tempfile.mkstemp(dir=folder, prefix=".")
        with os.fdopen(descriptor, "wb") as file:
            file.write(hashlib.sha256(answer).digest() + answer)
        Path(temporary).replace(folder / name)
