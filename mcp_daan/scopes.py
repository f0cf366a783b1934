"""The scopes of whom a call is for, where a tool tells of more than one of them."""

from contextvars import ContextVar

# None stands for all: over stdio and on the command line asks whoever owns the workspace. Threads that work for a call
# inherit it.
held: ContextVar[frozenset[str] | None] = ContextVar("scopes", default=None)


def may(scope: str) -> bool:
    """Whether the caller holds *scope*."""
    scopes = held.get()
    return scopes is None or scope in scopes
