"""The life of one serving process: what ends it, and what it does every second."""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

import anyio
import anyio.to_thread

SECONDS = 1.0


@contextmanager
def told_of_the_end(drain: Callable[[], None]) -> Iterator[None]:
    """While inside, the signal that ends the process first runs *drain*: streams that would stay open are ended."""
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may; another has whoever started it to end it
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}

    def end(number: int, frame: FrameType | None) -> None:
        drain()
        following = before[signal.Signals(number)]
        if callable(following):
            following(number, frame)

    for number in before:
        signal.signal(number, end)
    try:
        yield
    finally:
        for number, following in before.items():
            signal.signal(number, following)


async def every_second(work: Callable[[], None], parent: int | None) -> None:
    """Do *work* each second; without its *parent*, the process that started it, this one ends too."""
    while True:
        await anyio.sleep(SECONDS)
        await anyio.to_thread.run_sync(work)
        if parent is not None and os.getppid() != parent:
            signal.raise_signal(signal.SIGTERM)
