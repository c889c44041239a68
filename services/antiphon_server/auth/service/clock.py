"""What time it is, as the model counts it."""

from collections.abc import Callable

from antiphon_server.auth.model import SECOND
from antiphon_server.auth.ports import Clock


def micros(clock: Clock) -> Callable[[], int]:
    """The current time in whole microseconds since the epoch."""
    return lambda: int(clock() * SECOND)
