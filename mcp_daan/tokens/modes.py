"""Whether others than their owner may read files with secrets."""

import os
import stat
from pathlib import Path


def readable_by_others(path: Path) -> bool:
    """Whether somebody else on this machine may read *path*: by its own rights and those of every folder above."""
    if os.name != "posix":
        return False
    try:
        modes = [each.stat().st_mode for each in (path, *path.resolve().parents)]
    except OSError:
        return False
    own, *above = modes
    others = own & stat.S_IROTH and all(mode & stat.S_IXOTH for mode in above)
    # A folder's group may be another one, so either right to enter counts.
    group = own & stat.S_IRGRP and all(mode & (stat.S_IXGRP | stat.S_IXOTH) for mode in above)
    return bool(others or group)
