"""The clock of leases."""

import time

_COUNTS_SLEEP: int | None = getattr(time, "CLOCK_BOOTTIME", None)


def now() -> float:
    """Seconds that go by while the process stands still, too, and where the system can tell, while
    the machine sleeps.
    """
    return time.monotonic() if _COUNTS_SLEEP is None else time.clock_gettime(_COUNTS_SLEEP)
