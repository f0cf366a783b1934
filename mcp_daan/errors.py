"""Every failure that a caller may see.

DaanError
├── CallerError            a smarter caller could have avoided it
│   ├── InvalidArguments   invalid_arguments
│   ├── NotFound           not_found
│   ├── Refused            refused
│   ├── TooLarge           too_large
│   └── Conflict           conflict
├── SourceError            what the answer rests on did not serve
│   ├── Unavailable        unavailable, may be tried again
│   ├── RejectedCredentials  rejected_credentials
│   └── TooSlow            too_slow
└── InternalError          internal: details stand in the log only
"""

from collections.abc import Mapping
from typing import Any, ClassVar, NamedTuple


class Upstream(NamedTuple):
    """What a service on the network answered with; its own words are for judging, never for showing."""

    status: int | None
    code: int | None
    text: str = ""

    def __repr__(self) -> str:
        return f"Upstream(status={self.status}, code={self.code})"


class DaanError(Exception):
    """A failure in the server's own words, with advice that tells the caller what to do next."""

    code: ClassVar[str]
    retryable: bool = False
    upstream: Upstream | None = None

    def __init__(
        self, message: str, *, advice: str, data: Mapping[str, Any] | None = None, retryable: bool | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.advice = advice
        self.data = dict(data or {})
        if retryable is not None:
            self.retryable = retryable


class CallerError(DaanError):
    """A smarter caller could have avoided it."""


class InvalidArguments(CallerError):
    """An argument is missing, unknown or of the wrong form."""

    code = "invalid_arguments"


class NotFound(CallerError):
    """What was named does not exist."""

    code = "not_found"


class Refused(CallerError):
    """The request is understood and not allowed."""

    code = "refused"


class TooLarge(CallerError):
    """The request or its answer is larger than allowed and cannot be cut."""

    code = "too_large"


class Conflict(CallerError):
    """What was to be written stands there already, or changed meanwhile."""

    code = "conflict"


class SourceError(DaanError):
    """What the answer rests on did not serve."""


class Unavailable(SourceError):
    """A source could not be reached or read."""

    code = "unavailable"
    retryable = True


class RejectedCredentials(SourceError):
    """A source answered, and did not accept the credentials."""

    code = "rejected_credentials"


class TooSlow(SourceError):
    """The work ran past its deadline and was stopped."""

    code = "too_slow"


class InternalError(DaanError):
    """A fault of the server's own; the task id finds its details in the log."""

    code = "internal"
