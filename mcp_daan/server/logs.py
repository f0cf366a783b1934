"""What the process logs: to stderr, without secrets."""

import logging
import sys
import threading
from collections.abc import Callable
from types import TracebackType

from mcp_daan.toolbox import where

log = logging.getLogger("mcp_daan")


class _Clean(logging.Formatter):
    def __init__(self, redact: Callable[[str], str]) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")
        self._redact = redact

    def format(self, record: logging.LogRecord) -> str:
        try:
            # Strangers' headers are quoted in some lines: what steers a terminal stays out of them.
            line = self._redact(super().format(record))
            return "".join(each if each.isprintable() or each == "\n" else "?" for each in line)
        except Exception as error:  # noqa: BLE001 - rather no line than one that may hold a secret
            return f"{record.levelname} {record.name}: this line could not be cleaned of secrets ({where(error)})"

    def formatException(
        self, ei: tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]
    ) -> str:
        # The text of a fault may quote a value; where it happened is enough.
        return "" if ei[1] is None else where(ei[1])


def of_a_thread(failed: threading.ExceptHookArgs) -> None:
    """A thread's fault goes the same way as every other."""
    if failed.exc_value is not None:
        tell("A thread", failed.exc_value)


def log_to_stderr(redact: Callable[[str], str]) -> None:
    """Write warnings and worse to stderr, each passed through *redact*, tracebacks included."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Clean(redact))
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    threading.excepthook = of_a_thread


def tell(what: str, error: BaseException) -> None:
    """Log that *what* failed and where; the text of the fault may quote a value."""
    log.error("%s failed: %s", what, where(error))


def last_words(text: str) -> None:
    """Warn of *text*, and see that it is written: the process ends without more ado."""
    log.warning(text)
    logging.shutdown()
