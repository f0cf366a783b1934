"""What the process logs: to stderr, without secrets."""

import logging
import sys
from collections.abc import Callable


class _Clean(logging.Formatter):
    def __init__(self, redact: Callable[[str], str]) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")
        self._redact = redact

    def format(self, record: logging.LogRecord) -> str:
        return self._redact(super().format(record))


def log_to_stderr(redact: Callable[[str], str]) -> None:
    """Write warnings and worse to stderr, each passed through *redact*, tracebacks included."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Clean(redact))
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
