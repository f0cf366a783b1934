"""What pending migrations would do, tried on a scratch copy in a process apart; the database is only read."""

import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from mcp_daan.d1.apart import told
from mcp_daan.d1.databases import Database
from mcp_daan.protocol import Model

# D1 itself ends a call after so long.
SECONDS = 30.0
# Larger ones are rehearsed on their schema alone: as large as a database of the free plan may be.
COPY_BYTES = 500_000_000
GONE = "the rehearsal ended: it ran out of time or of memory, and so may D1"
Done = Callable[[int, str], None]


class FileRun(Model):
    """One migration that was tried."""

    file: str
    ok: bool
    statements: int
    rows_changed: int
    duration_ms: float


class RowsLost(Model):
    """A table with fewer rows afterwards; `dropped` says that the table itself is gone."""

    table: str
    before: int
    after: int
    dropped: bool


class ValuesLost(Model):
    """A column that is gone, and how many values stood in it."""

    table: str
    column: str
    values: int


class Rehearsal(Model):
    """What happened on the scratch copy; after a failure the lists tell what the files before it did.

    `data`: copy = schema and rows, schema = too large to copy its rows, empty = there is no database file yet.
    """

    ok: bool
    failed_file: str | None = None
    line: int | None = None
    code: str | None = None
    error: str | None = None
    schema_diff: list[str] = Field(default_factory=list)
    rows_lost: list[RowsLost] = Field(default_factory=list)
    values_lost: list[ValuesLost] = Field(default_factory=list)
    files: list[FileRun] = Field(default_factory=list)
    data: Literal["copy", "schema", "empty"]
    size_before: int
    size_after: int
    duration_ms: float


@dataclass
class _Heard:
    """What the process told so far."""

    facts: dict[str, Any] = field(default_factory=dict)
    files: list[dict[str, Any]] = field(default_factory=list)

    def take(self, said: Mapping[str, Any]) -> None:
        if "file" in said:
            self.files.append(dict(said))
        else:
            self.facts |= said

    @property
    def failed(self) -> dict[str, Any] | None:
        return next((each for each in self.files if not each["ok"]), None)


def rehearsed(
    database: Database,
    files: Sequence[tuple[str, str]],
    *,
    done: Done,
    seconds: float = SECONDS,
    copy_bytes: int = COPY_BYTES,
) -> tuple[Rehearsal, bool]:
    """Apply *files*, (name, text) in order, to a copy of *database*; the rehearsal, and whether it is whole.

    It is not where only the schema was copied, or where there was no time to count what is lost.
    Raises Unavailable or TooSlow when no copy can be made.
    """
    started = time.monotonic()
    heard = _Heard()
    with tempfile.TemporaryDirectory(prefix="mcp-daan-", ignore_cleanup_errors=True) as folder:
        request = {
            "path": str(database.path) if database.exists else None,
            "scratch": str(Path(folder) / "scratch.sqlite"),
            "table": database.migrations_table,
            "files": list(files),
            "copy_bytes": copy_bytes,
        }
        for said in told("rehearsal", request, seconds=seconds, folder=Path(folder)):
            heard.take(said)
            if "file" in said:
                done(len(heard.files), said["file"])
    ended = round((time.monotonic() - started) * 1000, 1)
    return _rehearsal(heard, files, ended), bool(
        "end" in heard.facts
        and heard.facts["copied"] != "schema"
        and ("rowsLost" in heard.facts or not database.exists)
    )


def _rehearsal(heard: _Heard, files: Sequence[tuple[str, str]], milliseconds: float) -> Rehearsal:
    facts, failed = heard.facts, heard.failed
    running = files[len(heard.files)][0] if len(heard.files) < len(files) else None
    if failed is None and running is not None and "end" not in facts:
        failed = {"file": running, "error": GONE}
    return Rehearsal(
        ok=failed is None,
        failed_file=failed["file"] if failed else None,
        line=failed.get("line") if failed else None,
        code=failed.get("code") if failed else None,
        error=failed["error"] if failed else None,
        schema_diff=facts.get("schemaDiff", []),
        rows_lost=[RowsLost.model_validate(each) for each in facts.get("rowsLost", [])],
        values_lost=[ValuesLost.model_validate(each) for each in facts.get("valuesLost", [])],
        files=[FileRun.model_validate({name: each[name] for name in _RUN}) for each in heard.files],
        data=facts.get("copied", "copy"),
        size_before=facts.get("sizeBefore", 0),
        size_after=facts.get("sizeAfter", 0),
        duration_ms=milliseconds,
    )


_RUN = ("file", "ok", "statements", "rowsChanged", "durationMs")
