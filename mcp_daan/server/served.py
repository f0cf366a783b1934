"""What a session over stdio rests on: the app, the tools, the SDK; each is loaded when it is first needed."""

import gc
import os
import threading
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, BinaryIO

from mcp_daan.server.front.session import OPENING, Progress
from mcp_daan.server.offer import Offer
from mcp_daan.stopping import Stop, current

if TYPE_CHECKING:
    from mcp_daan.app import App
    from mcp_daan.protocol import Said
    from mcp_daan.server.records import Sink

GRACE_SECONDS = 1.0


class Served:
    """What a session rests on, opened when it is first needed: it is most of a start."""

    def __init__(self, make_app: "Callable[[], App]", offer: Offer, write: Callable[[str], None]) -> None:
        self._make_app, self._offer, self._write = make_app, offer, write
        self._lock, self._settled = threading.Lock(), threading.Condition()
        self._opened: tuple[App, list[Sink]] | None = None
        self._warmed, self._working = False, 0
        self._loop: threading.Thread | None = None

    def warm(self) -> None:
        """Open the app beside whatever the client does next."""
        if not self._warmed:
            self._warmed = True
            threading.Thread(target=self._warm, name="mcp-daan-warm", daemon=True).start()

    def call(self, name: str, arguments: Mapping[str, Any], stop: Stop, progress: Progress) -> "Said | None":
        """What the tool called *name* says; None for a fault, which is logged."""
        with self._settled:
            self._working += 1
        try:
            return self._called(name, arguments, stop, progress)
        except Exception as error:  # noqa: BLE001 - its text stays here: it may quote a value
            from mcp_daan.server.logs import tell

            tell("tools/call", error)
            return None
        finally:
            with self._settled:
                self._working -= 1
                self._settled.notify_all()

    def sdk(self) -> BinaryIO:
        """Load the SDK in a thread of its own; what is written here, it reads."""
        reading, writing = os.pipe()
        self._loop = threading.Thread(
            target=self._run_loop, args=(os.fdopen(reading, "rb"),), name="mcp-daan-sdk", daemon=True
        )
        self._loop.start()
        return os.fdopen(writing, "wb")

    def close(self) -> None:
        """End what is open, and so what works."""
        if self._opened is not None:
            self._opened[0].close()

    def leave(self) -> None:
        """Give what is being written a moment; a call that cannot be stopped would hold the process for as long as it takes."""
        deadline = time.monotonic() + GRACE_SECONDS
        with self._settled:
            self._settled.wait_for(lambda: self._working == 0, GRACE_SECONDS)
        others = [each for each in threading.enumerate() if each is self._loop or not each.daemon]
        for thread in others:
            if thread is not threading.current_thread():
                thread.join(max(deadline - time.monotonic(), 0))
        if self._working or any(each.is_alive() for each in others if each is not threading.current_thread()):
            from mcp_daan.server.logs import last_words

            last_words("The client has gone; a call that still runs is left.")
            os._exit(0)

    def _called(self, name: str, arguments: Mapping[str, Any], stop: Stop, progress: Progress) -> "Said":
        app, sinks = self._open()
        from mcp_daan.server.records import Clock
        from mcp_daan.toolbox import run

        def told(done: float, total: float | None, message: str) -> None:
            progress(done, total, app.redact(message))

        tool = self._offer.find(name)
        if tool is None:
            raise LookupError(name)  # the catalog knows it
        clock = Clock("local", "tools/call", name)
        current.set(stop)
        said = run(tool, app.for_call(told), arguments)
        for sink in sinks:
            sink(clock.record(said.answer, "cancelled" if stop.stopped else None))
        return said

    def _warm(self) -> None:
        try:
            self._open()
        except Exception as error:  # noqa: BLE001 - as in `call`; whoever needs the app tries again
            from mcp_daan.server.logs import tell

            tell("the start", error)

    def _open(self) -> "tuple[App, list[Sink]]":
        with self._lock:
            if self._opened is None:
                from mcp_daan.server.audit import audited
                from mcp_daan.server.logs import log_to_stderr

                app = self._make_app()
                log_to_stderr(app.redact)
                self._opened = app, audited(app)
                gc.freeze()
                gc.enable()
            return self._opened

    def _run_loop(self, lines: BinaryIO) -> None:
        try:
            from mcp_daan.server.loop import run_loop

            app, sinks = self._open()
            run_loop(app, self._offer, sinks, lines, self._write, OPENING)
        except Exception as error:  # noqa: BLE001 - as above
            from mcp_daan.server.logs import tell

            tell("the SDK's loop", error)
        finally:
            lines.close()
