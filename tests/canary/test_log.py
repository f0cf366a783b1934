"""The log says what failed and where, and nothing of its text."""

import subprocess
import sys

import pytest

FAILING = """
import logging, threading
from mcp_daan.server.logs import log_to_stderr

def redact(text):
    if REDACTS:
        return text.replace("known", "***")
    raise RuntimeError("while cleaning s3cret")

def fail():
    held = "s3cret"
    raise ValueError(f"failed on {held}")

log_to_stderr(redact)
log = logging.getLogger("elsewhere")
try:
    fail()
except ValueError as error:
    log.exception("it failed")
    log.error("with its kind", exc_info=error)
thread = threading.Thread(target=fail)
thread.start()
thread.join()
log.warning("a known value, %s", "s3cret" if not REDACTS else "fine")
"""


@pytest.mark.parametrize("redacts", [True, False])
def test_a_traceback_ends_where_its_text_would_begin(redacts: bool) -> None:
    """In a handler, in a thread, and where cleaning itself fails."""
    command = [sys.executable, "-c", f"REDACTS = {redacts}\n{FAILING}"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)

    assert "s3cret" not in done.stderr + done.stdout
    assert len(done.stderr.splitlines()) >= 4
    assert ("a *** value, fine" in done.stderr) is redacts
    assert ("ValueError at <module>:" in done.stderr) is redacts
