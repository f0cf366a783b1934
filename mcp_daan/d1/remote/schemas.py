"""The schemas of remote databases, as they were last seen."""

import threading
from collections import OrderedDict
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from mcp_daan.errors import TooLarge

if TYPE_CHECKING:
    from mcp_daan.d1.remote.access import Remote

# (type, name, table, sql) of each thing in the schema, in order of creation; indexes of a constraint have no sql.
Declared = tuple[str, str, str, str | None]
Schema = tuple[Declared, ...]
SCHEMA = "SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY rowid"
MOST = 64
MOST_CHARACTERS = 4 << 20


class Schemas:
    """The schemas that were read so far, by database; calls share them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: OrderedDict[str, Schema] = OrderedDict()

    def known(self, remote: "Remote") -> tuple[Schema, bool]:
        """The schema as it was last seen, and whether it was read just now, as it is when it never was before."""
        with self._lock:
            found = self._known.get(remote.path)
        return (self.read(remote), True) if found is None else (found, False)

    def read(self, remote: "Remote") -> Schema:
        """The schema as it is now."""
        schema = tuple(_declared(row) for row in remote.ask(SCHEMA, width=4).rows)
        if sum(len(sql or "") for *_, sql in schema) > MOST_CHARACTERS:
            raise TooLarge("The schema of the remote database is larger than is read.", advice="Tell its owner.")
        with self._lock:
            self._known[remote.path] = schema
            self._known.move_to_end(remote.path)
            while len(self._known) > MOST:
                self._known.popitem(last=False)
        return schema


def _declared(row: Sequence[Any]) -> Declared:
    kind, name, table, sql = row
    return str(kind), str(name), str(table), None if sql is None else str(sql)
