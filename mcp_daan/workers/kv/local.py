"""Read a namespace from the files in which wrangler keeps it, and leave no trace of it."""

import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import apsw

from mcp_daan.errors import DaanError, NotFound, TooLarge, TooSlow, Unavailable
from mcp_daan.sqlite_files import close_off, opened
from mcp_daan.workers.kv.keys import Key, Keys, parsed
from mcp_daan.workers.kv.namespaces import Namespace

TABLE = "_mf_entries"
DOUBTFUL = "Delete the local state of this namespace if nobody needs it; `wrangler dev` makes it anew."
WAIT = "Ask again in a moment."
OTHER_FORM = "The file is not as wrangler 4 keeps KV."
# The words are ours: SQLite's own messages can quote keys.
MEANING: dict[type[Exception], tuple[type[DaanError], str, str]] = {
    apsw.InterruptError: (TooSlow, "The listing ran past its deadline.", "Give a longer `prefix`, or fewer keys."),
    apsw.BusyError: (Unavailable, "The namespace is locked by a writer.", WAIT),
    apsw.LockedError: (Unavailable, "The namespace is locked by a writer.", WAIT),
    apsw.SchemaChangeError: (Unavailable, "The namespace changed meanwhile.", WAIT),
    apsw.CantOpenError: (Unavailable, "The namespace's file could not be opened.", "Check the rights of the file."),
    apsw.PermissionsError: (Unavailable, "The namespace's file may not be read.", "Check the rights of the file."),
    apsw.NotADBError: (Unavailable, "The namespace's file is not a SQLite database.", DOUBTFUL),
    apsw.CorruptError: (Unavailable, "The namespace's file is damaged.", DOUBTFUL),
    apsw.AuthError: (Unavailable, OTHER_FORM, DOUBTFUL),
    apsw.SQLError: (Unavailable, OTHER_FORM, DOUBTFUL),
    apsw.Error: (Unavailable, "The namespace could not be read.", DOUBTFUL),
}
# Miniflare makes them of 40 random bytes; anything else could lead out of the folder.
BLOB = re.compile(r"[0-9A-Za-z_-]{1,200}")
# What miniflare writes `_` for in a folder's name.
UNFIT = re.compile(r"[?<>*\"'^/\\:|\x00-\x1f\x80-\x9f]")
# Not through a link, and without waiting, should it be a pipe.
FLAGS = os.O_RDONLY | sum(getattr(os, name, 0) for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_BINARY"))
LIST = f"SELECT key, expiration, metadata FROM {TABLE} WHERE key >= ? ORDER BY key"
GET = f"SELECT key, expiration, metadata, blob_id FROM {TABLE} WHERE key = ?"


@dataclass(frozen=True)
class Stored:
    """A value: its first bytes, and how many there are; None where nobody told."""

    key: Key
    data: bytes
    size: int | None


def list_keys(namespace: Namespace, prefix: str = "", *, limit: int, skip: int = 0, now: float, seconds: float) -> Keys:
    """At most *limit* keys that begin with *prefix* after the first *skip*, without those that expired before *now*.

    Raises NotFound while there is no file, Unavailable when it cannot be read, TooSlow after the deadline.
    """
    found: list[Key] = []
    with _reading(namespace, seconds) as connection:
        for key, expiration, metadata in connection.execute(LIST, (prefix,)):
            if not isinstance(key, str):
                continue
            if not key.startswith(prefix):
                break
            if _gone(expiration, now):
                continue
            found.append(_key(key, expiration, metadata))
            if len(found) > skip + limit:
                break
    return Keys(found[skip : skip + limit], more=len(found) > skip + limit)


def read_value(namespace: Namespace, key: str, *, max_bytes: int, now: float, seconds: float) -> Stored:
    """The value of *key*, its first *max_bytes*.

    Raises NotFound without the file, the key (an expired one is gone) or its value; Unavailable, TooSlow.
    """
    with _reading(namespace, seconds) as connection:
        row = connection.execute(GET, (key,)).fetchone()
    if row is None or _gone(row[1], now):
        raise missing_key()
    name, expiration, metadata, blob = row
    data, size = _blob(namespace, blob, max_bytes)
    return Stored(_key(name, expiration, metadata), data, size)


def missing_key() -> NotFound:
    """There is no such key."""
    return NotFound(
        "There is no such key in the namespace.",
        advice="List the keys with a `prefix`; an expired key is gone, and names are case-sensitive.",
    )


@contextmanager
def _reading(namespace: Namespace, seconds: float) -> Iterator[apsw.Connection]:
    """A connection that can read the one table and nothing else."""
    if not namespace.exists or namespace.path is None:
        raise NotFound(
            "There is no local data of this namespace.",
            advice="Let the Worker write to it once under `wrangler dev`, or ask for `remote:` and its name.",
        )
    try:
        with opened(namespace.path.resolve(), seconds=seconds, prepare=close_off) as connection:
            connection.authorizer = _only_entries
            yield connection
    except apsw.Error as error:
        failure, message, advice = next(MEANING[kind] for kind in type(error).__mro__ if kind in MEANING)
        raise failure(message, advice=advice) from None
    except UnicodeDecodeError:
        raise Unavailable("The namespace holds a key that is not UTF-8.", advice=DOUBTFUL) from None
    except MemoryError:
        raise TooLarge("The namespace's file needs more memory than there is.", advice=DOUBTFUL) from None


def _only_entries(action: int, first: str | None, second: str | None, schema: str | None, inside: str | None) -> int:
    # A view of that name would read other tables or call functions.
    allowed = action == apsw.SQLITE_SELECT or (action == apsw.SQLITE_READ and first == TABLE and inside is None)
    return apsw.SQLITE_OK if allowed else apsw.SQLITE_DENY


def _gone(expiration: object, now: float) -> bool:
    return isinstance(expiration, int | float) and expiration / 1000 <= now


def _key(name: str, expiration: object, metadata: object) -> Key:
    try:
        told = parsed(metadata) if isinstance(metadata, str) else None
    except ValueError:
        told = metadata
    return Key(name, expiration / 1000 if isinstance(expiration, int | float) else None, told)


def _blob(namespace: Namespace, blob: object, max_bytes: int) -> tuple[bytes, int]:
    """The first *max_bytes* of a value and its size; nothing outside the namespace's own folder is opened."""
    if not isinstance(blob, str) or not BLOB.fullmatch(blob) or namespace.path is None:
        raise Unavailable("A value's place is not of the form that wrangler gives.", advice=DOUBTFUL)
    folder = namespace.path.parent.resolve().parent / _folder(namespace.local_id or "") / "blobs"
    try:
        if folder.resolve(strict=True) != folder:
            raise Unavailable("The namespace's values lie behind a link.", advice="Make it a folder of its own.")
        descriptor = os.open(folder / blob, FLAGS)
        with os.fdopen(descriptor, "rb") as file:
            about = os.fstat(descriptor)
            if not stat.S_ISREG(about.st_mode):
                raise Unavailable("A value is not a file.", advice=DOUBTFUL)
            return file.read(max_bytes), about.st_size
    except FileNotFoundError:
        raise NotFound(
            "The key is there and its value is not.", advice=f"It may be written right now. {WAIT}"
        ) from None
    except OSError:
        raise Unavailable("A value may not be read.", advice="Check the rights of the namespace's folder.") from None


def _folder(local_id: str) -> str:
    """The folder's name, as miniflare makes it of an id."""
    name = UNFIT.sub("_", local_id)[:255]
    return name if name.strip(". ") else "_" * len(name)
