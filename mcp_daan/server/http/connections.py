"""Connections that open and then ask for nothing are closed: each holds a file, before anybody has said who he is."""

import asyncio

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

# How long the head of a request may take to arrive; for its body the gate sees to it.
SECONDS = 30.0


class Connection(H11Protocol):
    """uvicorn's, which waits without end for a request that has not begun or does not end its head."""

    _end: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Somebody is there, and has asked nothing yet."""
        super().connection_made(transport)
        self._end = self.loop.call_later(SECONDS, transport.close)

    def data_received(self, data: bytes) -> None:
        """Something came: the rest of a head, or what belongs to a request that has begun."""
        super().data_received(data)
        if self.conn.their_state is not h11.IDLE:
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
