"""Dates as people write them, English and Dutch."""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, time

_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "january januari jan",
            "february februari feb febr",
            "march maart mar mrt",
            "april apr",
            "may mei",
            "june juni jun",
            "july juli jul",
            "august augustus aug",
            "september sep sept",
            "october oktober oct okt",
            "november nov",
            "december dec",
        ),
        1,
    )
    for name in names.split()
}
_MONTH = "|".join(sorted(_MONTHS, key=len, reverse=True))
_WRITTEN = re.compile(
    rf"""(?ix)
      (?<!\d)(?P<y1>\d{{4}})-(?P<m1>\d\d)-(?P<d1>\d\d)(?!\d)
    | (?<![\d.])(?P<d2>\d{{1,2}})[-/.](?P<m2>\d{{1,2}})[-/.](?P<y2>\d{{4}})(?![\d.]*\d)
    | \b(?P<d3>\d{{1,2}})(?:st|nd|rd|th|e)?\s+(?P<m3>{_MONTH})\b\.?,?\s+(?P<y3>\d{{4}})\b
    | \b(?P<m4>{_MONTH})\b\.?\s+(?P<d4>\d{{1,2}})(?:st|nd|rd|th)?,?\s+(?P<y4>\d{{4}})\b
    """
)


def written_dates(text: str) -> Iterator[tuple[date, int]]:
    """Every date that *text* states, with where it begins; 3/4/2026 is the third of April."""
    for found in _WRITTEN.finditer(text):
        parts = {name[0]: value for name, value in found.groupdict().items() if value}
        month = _MONTHS.get(parts["m"].lower()) or (int(parts["m"]) if parts["m"].isdigit() else 0)
        try:
            yield date(int(parts["y"]), month, int(parts["d"])), found.start()
        except ValueError:  # 2026-02-31 is no date
            continue


def first_date(text: str) -> date | None:
    """The first date that *text* states."""
    return next((day for day, _ in written_dates(text)), None)


def read_moment(text: str) -> datetime | None:
    """The moment that a field such as `updated` holds: an ISO moment, or the begin of a written day, in UTC."""
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        day = first_date(text)
        return None if day is None else midnight(day)
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def midnight(day: date) -> datetime:
    """The moment at which *day* begins in UTC."""
    return datetime.combine(day, time(), UTC)


def iso(moment: datetime) -> str:
    """*moment* as `data` shows it: to the second, with Z."""
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def age_days(moment: datetime, now: datetime) -> int:
    """How many whole days *moment* lies back; a moment to come is as good as today."""
    return max((now - moment).days, 0)
