"""Put a file in its place whole or not at all, one process at a time."""

import errno
import hashlib
import os
import random
import secrets
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from mcp_daan.errors import DaanError, Unavailable
from mcp_daan.workspace import cache_folder

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

WAIT_SECONDS = 10.0
_TEMPORARY = ".mcp-daan-"
_ENDING = ".tmp"
_BUSY = (errno.EAGAIN, errno.EACCES, errno.EDEADLK)
# Of network and foreign file systems: folders that cannot be locked, files that cannot have a second name.
_NO_LOCKS = (errno.EBADF, errno.EINVAL, errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)
_NO_LINKS = (errno.EPERM, errno.EACCES, errno.ENOSYS, errno.EOPNOTSUPP, errno.EMLINK)
_FULL = (errno.ENOSPC, errno.EDQUOT)


@contextmanager
def exclusive(folder: Path, seconds: float | None = None) -> Iterator[bool]:
    """Be the only one who writes in *folder*; True when that holds for every process that sees it.

    The folder itself is locked (`flock`), so nothing is left behind and the system lets go when the process dies.
    Where folders cannot be locked, on Windows and on NFS, a file in the user's cache folder is locked instead, which
    holds for that user on that machine: the answer is then False.
    Raises Unavailable when another process does not let go within *seconds* (10), or the folder cannot be opened.
    """
    seconds = WAIT_SECONDS if seconds is None else seconds
    deadline = time.monotonic() + seconds
    with translated(folder.name):
        descriptor, whole = _lockable(folder)
    try:
        while not _locked(descriptor):
            if time.monotonic() >= deadline:
                raise Unavailable(
                    f"Another process has kept `{folder.name}` locked for {seconds:g} s.",
                    advice="Try again; if it stays so, look which mcp-daan process hangs and end it.",
                )
            time.sleep(random.uniform(0.001, 0.01))
        yield whole
    finally:
        os.close(descriptor)


def publish(folder: Path, name: str, contents: bytes) -> bool:
    """Write *contents* to a new file, durably; False when the name is taken. The caller holds `exclusive`.

    Written beside, synced, and given its name by link(2), which neither overwrites nor shows half a file.
    Where files cannot be linked it is renamed instead: whole as well, and the lock keeps others from taking the name.
    Raises Unavailable when the disk does not take it; then the file is not there, or there whole.
    """
    final = folder / name
    with translated(name):
        temporary = _written(folder, contents, 0o666)
        try:
            os.link(temporary, final)
        except FileExistsError:
            return False
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
            if os.path.lexists(final):
                return False
            temporary.rename(final)
        finally:
            temporary.unlink(missing_ok=True)
        sync(folder)
    return True


def replace(file: Path, contents: bytes) -> None:
    """Put *contents* in the place of *file*, or of none, at once and durably. The caller holds `exclusive`.

    Raises Unavailable when the disk does not take it; then *file* is as it was.
    """
    with translated(file.name):
        mode = file.stat().st_mode & 0o777 if file.exists() else None
        temporary = _written(file.parent, contents, 0o666)
        try:
            if mode is not None:
                temporary.chmod(mode)
            temporary.replace(file)
        finally:
            temporary.unlink(missing_ok=True)
        sync(file.parent)


def tidy(folder: Path) -> None:
    """Sweep *folder* if there is anything to sweep and nobody writes there."""
    try:
        with os.scandir(folder) as entries:
            left = any(entry.name.startswith(_TEMPORARY) for entry in entries)
    except OSError:  # there is no such folder yet
        return
    if left:
        with exclusive(folder) as whole:
            if whole:
                sweep(folder)


def sweep(folder: Path) -> None:
    """Delete what killed processes left half written. The caller holds `exclusive`, which was True: nobody writes."""
    with suppress(OSError):  # what cannot be deleted is in nobody's way
        for entry in os.scandir(folder):
            if entry.name.startswith(_TEMPORARY) and entry.name.endswith(_ENDING):
                Path(entry.path).unlink(missing_ok=True)


def sync(folder: Path) -> None:
    """Make the names in *folder* durable; Windows knows no such call and does it by itself."""
    if sys.platform == "win32":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def translated(name: str) -> Iterator[None]:
    """What the system says of *name* as Unavailable, in our own words."""
    try:
        yield
    except OSError as error:
        raise _failure(error, name) from None


def _failure(error: OSError, name: str) -> DaanError:
    if error.errno in _FULL:
        return Unavailable(f"The disk is full: `{name}` was not written.", advice="Make room and try again.")
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return Unavailable(f"`{name}` may not be written.", advice="Give this user the right to write there.")
    return Unavailable(f"`{name}` could not be written.", advice="Check that its folder still exists, and the disk.")


def _written(folder: Path, contents: bytes, mode: int) -> Path:
    temporary = folder / f"{_TEMPORARY}{os.getpid()}-{secrets.token_hex(6)}{_ENDING}"
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(contents)
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
    return temporary


def _lockable(folder: Path) -> tuple[int, bool]:
    """A descriptor to lock, and whether it is the folder's own; trying is the only way to know."""
    if sys.platform != "win32":
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            _locked(descriptor)
        except OSError as error:
            os.close(descriptor)
            if error.errno not in _NO_LOCKS:
                raise
        else:
            return descriptor, True
    locks = cache_folder() / "locks"
    locks.mkdir(parents=True, exist_ok=True)
    name = hashlib.sha256(os.fsencode(folder.resolve())).hexdigest()[:32]
    return os.open(locks / name, os.O_RDWR | os.O_CREAT, 0o600), False


def _locked(descriptor: int) -> bool:
    try:
        if sys.platform == "win32":
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            # Asking again for what this descriptor holds already is granted.
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in _BUSY:
            return False
        raise
    return True
