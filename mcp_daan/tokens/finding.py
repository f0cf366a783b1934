"""One thing that the table as a whole shows, with what to do about it."""

from mcp_daan.protocol import Model, Severity

# A pattern in fewer rows may be chance.
ENOUGH = 3


class Finding(Model):
    """One thing that the table as a whole shows, and how many connections it touches."""

    code: str
    severity: Severity
    message: str
    connections: int | None = None


Found = tuple[Finding, str]


def found(code: str, severity: Severity, message: str, advice: str, connections: int | None = None) -> Found:
    """A finding with its advice."""
    return Finding(code=code, severity=severity, message=message, connections=connections), advice
