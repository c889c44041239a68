"""When HTTP servers want to be asked again."""

import time
from email.utils import parsedate_to_datetime


def seconds_of(header: str) -> float | None:
    """What Retry-After says (RFC 9110, 10.2.3), in seconds; None if it is neither form."""
    digits = header.strip()
    if digits.isascii() and digits.replace(".", "", 1).isdigit() and len(digits) <= 12:
        return float(digits)
    try:
        return max(0.0, parsedate_to_datetime(digits).timestamp() - time.time())
    except (ValueError, OverflowError):
        return None
