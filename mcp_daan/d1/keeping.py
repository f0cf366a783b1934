"""Keep the file that was read last open for the next statement, as long as it is provably the same.

What hangs on a file (its tables, its secrets) is worked out once, then. A statement can leave nothing behind for the
next one: the guard lets it change no setting, SQLite keeps no prepared statement, and the connection is dropped when
a statement failed, and closed off anew before each.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

import apsw

from mcp_daan.d1.failures import in_our_words, missing_file
from mcp_daan.d1.guard import harden
from mcp_daan.d1.masking.catalog import Catalog, Secrets, read_catalog
from mcp_daan.d1.masking.secrets import secret_columns
from mcp_daan.d1.reading import table_names
from mcp_daan.sqlite_files import FIRST_READ, Opened, connected, filled, stamp_of

# Of the pages of an open file; the system keeps them too, so more would only be memory (a join of 100,000 rows by random
# keys takes the same time with 2 MB).
CACHE_KIB = 512


class Held(NamedTuple):
    """The open file that *path* names, with what its schema says; *stack* closes it."""

    opened: Opened
    path: Path
    tables: frozenset[str]
    secrets: Secrets
    catalog: Catalog
    asked: tuple[str, tuple[str, ...]]
    stack: ExitStack

    @property
    def connection(self) -> apsw.Connection:
        """The connection to it."""
        return self.opened.connection


class Keeper:
    """Opens files for one statement after the other, and keeps the last one open in between."""

    def __init__(self) -> None:
        self._held: Held | None = None

    @property
    def holds(self) -> bool:
        """Whether a file is open now."""
        return self._held is not None

    def let_go(self) -> None:
        """Close the file that is open."""
        held, self._held = self._held, None
        if held is not None:
            held.stack.close()

    @contextmanager
    def reading(self, path: str, patterns: Sequence[str], *, seconds: float) -> Iterator[Held]:
        """One state of the file, with D1's limits and a deadline, not yet guarded; fails as `reading.snapshot` does."""
        asked = (path, tuple(patterns))
        with in_our_words():
            held = self._again(asked, seconds) or _held(asked, seconds)
            try:
                yield held
                held.opened.check()
                held.connection.authorizer = None
                held.connection.execute("COMMIT")
                if _lasts(held):
                    self._held = held
            finally:
                if self._held is not held:
                    held.stack.close()

    def _again(self, asked: tuple[str, tuple[str, ...]], seconds: float) -> Held | None:
        """The file that is open, if it is the one that is asked for and stands as it was opened."""
        held = self._held
        if held is None:
            return None
        if held.asked == asked and not filled(held.opened.log):
            held.opened.limit(seconds)
            try:
                harden(held.connection)
                # Where SQLite locks the file, the look at it comes after: from then on nobody can change it.
                held.connection.execute(FIRST_READ).fetchall()
                if stamp_of(held.path) == held.opened.stamp:
                    self._held = None
                    return held
            except (apsw.Error, OSError):
                pass  # Opening it anew tells why.
        self.let_go()
        return None


def _held(asked: tuple[str, tuple[str, ...]], seconds: float) -> Held:
    path, patterns = Path(asked[0]), asked[1]
    file = path.resolve()
    if not file.is_file():
        raise missing_file()
    with ExitStack() as stack:
        opened = connected(file, harden, stack)
        opened.limit(seconds)
        opened.connection.pragma("cache_size", -CACHE_KIB)
        secrets = secret_columns(opened.connection, patterns)
        tables, catalog = table_names(opened.connection), read_catalog(opened.connection)
        return Held(opened, path, tables, secrets, catalog, asked, stack.pop_all())


def _lasts(held: Held) -> bool:
    # Virtual tables keep caches and statements of their own between ours.
    return held.opened.lasts and all(each.kind != "virtual" for each in held.catalog.relations.values())
