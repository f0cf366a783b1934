"""The audit: a JSON line for each call, in a file that is rotated, or on stderr."""

import json
import logging
import os
import sys
import threading
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from mcp_daan.app import App
from mcp_daan.config import Audit
from mcp_daan.errors import DaanError
from mcp_daan.server.locking import locked
from mcp_daan.server.records import Record, Sink

log = logging.getLogger("mcp_daan")
STDERR = "-"


class AuditFile:
    """A file of lines that several processes write; the full one is renamed, and the oldest of them goes."""

    def __init__(self, path: Path, *, max_bytes: int, keep: int) -> None:
        self._path, self._max_bytes, self._keep = path, max_bytes, keep
        self._lock = threading.Lock()
        path.parent.mkdir(parents=True, exist_ok=True)
        self.write("")

    def write(self, line: str) -> None:
        """Add *line*; a reader never sees half of it, and no process writes into a file that was rotated away."""
        with self._lock, locked(self._path):
            if self._path.exists() and self._path.stat().st_size + len(line.encode()) > self._max_bytes:
                self._rotate()
            file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            try:
                os.write(file, line.encode())
            finally:
                os.close(file)

    def _rotate(self) -> None:
        for number in range(self._keep - 1, 0, -1):
            older = self._path.with_name(f"{self._path.name}.{number}")
            if older.exists():
                older.replace(self._path.with_name(f"{self._path.name}.{number + 1}"))
        self._path.replace(self._path.with_name(f"{self._path.name}.1"))


def audit_to(settings: Audit, root: Path, redact: Callable[[str], str]) -> Sink:
    """What takes a record and writes its line. Raises OSError when the file cannot be written."""
    if settings.file is None or settings.file == STDERR:
        write: Callable[[str], object] = sys.stderr.write
    else:
        write = AuditFile(root / settings.file, max_bytes=settings.max_bytes, keep=settings.keep).write

    def sink(record: Record) -> None:
        told = {"time": datetime.now(UTC).isoformat(timespec="milliseconds"), **asdict(record)}
        try:
            write(redact(json.dumps(told, ensure_ascii=False)) + "\n")
        except OSError as error:  # the disk is full, say; the call was made, and its caller gets the answer
            log.error("a line of the audit could not be written: %s", type(error).__name__)

    return sink


def audited(app: App) -> list[Sink]:
    """The audit of a server over stdio, where one is set; there is none otherwise."""
    try:
        settings, root = app.settings.audit, app.workspace.root
    except DaanError as error:  # the calls say it too, and the server goes on: see App
        log.warning("%s Nothing is audited until the server is started again.", error.message)
        return []
    return [] if settings.file is None else [audit_to(settings, root, app.redact)]
