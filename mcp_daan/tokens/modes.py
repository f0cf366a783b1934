"""Whether others than their owner may open files with secrets."""

import os
import stat
from pathlib import Path


def open_to_others(path: Path) -> bool:
    """Whether the rights of *path* let others on this machine read or write it, as ssh looks at a key."""
    if os.name != "posix":
        return False
    try:
        mode = path.stat().st_mode
    except OSError:
        return False
    return bool(mode & (stat.S_IRGRP | stat.S_IWGRP | stat.S_IROTH | stat.S_IWOTH))
