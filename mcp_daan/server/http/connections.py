"""Connections on which nothing is under way are closed: each holds a file, before anybody has said who he is."""

import asyncio

from uvicorn.protocols.http.h11_impl import H11Protocol

# How long the head of a request may take to arrive, or a body that was answered already; for others the gate sees to it.
SECONDS = 30.0


class Connection(H11Protocol):
    """uvicorn's, which waits without end for a request that has not begun, or for what is left of one that was refused."""

    _end: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Somebody is there, and has asked nothing yet."""
        super().connection_made(transport)
        self._end = self.loop.call_later(SECONDS, transport.close)

    def data_received(self, data: bytes) -> None:
        """Something came: for a request that is under way, or none is."""
        super().data_received(data)
        if self.cycle is not None and not self.cycle.response_complete:
            self._forget()
        elif self._end is None:
            self._end = self.loop.call_later(SECONDS, self.transport.close)

    def connection_lost(self, exc: Exception | None) -> None:
        """Nobody is there any more."""
        self._forget()
        super().connection_lost(exc)

    def _forget(self) -> None:
        if self._end is not None:
            self._end.cancel()
            self._end = None
