"""Points in time, as indexes and users write them, read alike on every Python."""

from __future__ import annotations

import re
from datetime import datetime, timezone

# RFC 3339, with a date alone as well. datetime.fromisoformat before Python 3.11 knows neither "Z"
# nor fractions of other lengths than 3 and 6; some indexes write seven digits.
_MOMENT = re.compile(
    r"(\d{4}-\d\d-\d\d)(?:[Tt ](\d\d:\d\d(?::\d\d)?)(\.\d{1,9})?\s?([Zz]|[+-]\d\d:?\d\d)?)?"
)


def read_moment(text: str) -> datetime | None:
    """Return a point in time in UTC, to the microsecond; None where the text is not one.

    Without an offset the text is taken as UTC.
    """
    match = _MOMENT.fullmatch(text.strip())
    if match is None:
        return None
    date, clock, fraction, offset = match.groups()
    clock = clock or "00:00"
    seconds = clock if clock.count(":") == 2 else f"{clock}:00"
    micros = (fraction or ".0")[1:7].ljust(6, "0")
    zone = "+00:00" if offset is None or offset in "Zz" else offset
    if ":" not in zone:
        zone = f"{zone[:3]}:{zone[3:]}"
    try:
        moment = datetime.fromisoformat(f"{date}T{seconds}.{micros}{zone}")
        return moment.astimezone(timezone.utc)
    except (ValueError, OverflowError):
        return None
