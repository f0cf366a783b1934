"""Moments as applications write them: seconds, milliseconds, ISO with and without a zone, told apart."""

from datetime import UTC, datetime

# A number of this size is a moment between 2001 and 2286 in the unit, and in no other.
UNITS = (
    (1e9, 1e10, 1.0, "seconds"),
    (1e12, 1e13, 1e-3, "milliseconds"),
    (1e15, 1e16, 1e-6, "microseconds"),
)
ZONED = "ISO with zone"
# SQLite's own form, `YYYY-MM-DD HH:MM:SS`, is UTC.
SQLITE = "ISO of SQLite"
LOCAL = "ISO without zone"
# Exact Online's access tokens live this long, whatever a row says.
ACCESS_SECONDS = 600
AGREES_WITHIN = 60

Moment = tuple[float, str]


def moment(value: object) -> Moment | None:
    """Seconds since 1970 in UTC and the unit in which *value* writes them; None for what is no moment."""
    if isinstance(value, str):
        # Asked first: Python reads some numbers of 13 digits as dates of the 18th century.
        if value.isdecimal():
            return _number(float(value))
        try:
            read = datetime.fromisoformat(value)
        except ValueError:
            return None
        if read.tzinfo is not None:
            return read.timestamp(), ZONED
        return read.replace(tzinfo=UTC).timestamp(), LOCAL if "T" in value else SQLITE
    if isinstance(value, int | float):
        return _number(value)
    if isinstance(value, bytes) and value.isascii():
        return moment(value.decode())
    return None


def duration(value: object) -> float | None:
    """The seconds that *value* writes, `"600"` as Exact Online sends it too; None for what is no duration."""
    if isinstance(value, bytes | str) and value.isascii() and value.isdigit():
        value = float(value)
    if isinstance(value, int | float) and 0 < value < 1e8:
        return float(value)
    return None


def joined(value: object, start: float) -> float | None:
    """The duration in a number that was joined from digits, `"1795367424" + "600"`, to *start*; else None.

    Such a number looks like a moment in milliseconds.
    """
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    digits = value.decode("latin-1") if isinstance(value, bytes) else str(value)
    if not digits.isascii() or not digits.isdigit():
        return None
    for size, unit in ((10, 1.0), (13, 1e-3)):
        head, tail = digits[:size], digits[size:]
        if 1 <= len(tail) <= 5 and abs(float(head) * unit - start) <= AGREES_WITHIN:
            return float(tail)
    return None


def agreed(
    begun: Moment, ended: Moment | None, stored: object, lasting: float | None
) -> tuple[float, float | None, str | None]:
    """Start and end of an access token, made to agree where one can only be a known mistake, and that mistake.

    *stored* is the end as the row has it, *lasting* the row's own duration. The mistakes: `joined` (digits added as
    text), `start_zone` and `end_zone` (local time without its zone, whole hours off).
    """
    start = begun[0]
    if ended is not None and abs(ended[0] - start - ACCESS_SECONDS) <= AGREES_WITHIN:
        return start, ended[0], None
    if (ended is None or ended[1] != "seconds") and (added := joined(stored, start)) is not None:
        return start, start + added, "joined"
    if ended is None:
        # The column may hold the duration itself.
        lasting = duration(stored) or lasting
        return start, None if lasting is None else start + lasting, None
    end = ended[0]
    off = end - start - ACCESS_SECONDS
    hours = round(off / 3600)
    shifted = 1 <= abs(hours) <= 14 and abs(off - hours * 3600) <= AGREES_WITHIN
    if shifted and begun[1] == LOCAL != ended[1]:
        return end - ACCESS_SECONDS, end, "start_zone"
    if shifted and ended[1] == LOCAL != begun[1]:
        return start, start + ACCESS_SECONDS, "end_zone"
    return start, end, None


def _number(value: float) -> Moment | None:
    for low, high, factor, unit in UNITS:
        if low <= value < high:
            return value * factor, unit
    return None
