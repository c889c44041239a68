"""How long somebody has to wait, as people say it."""

from math import ceil

_UNITS = ((86_400, "day", 2 * 86_400), (3600, "hour", 2 * 3600), (60, "minute", 120))
"""Of how many seconds one is, what it is called, and from how many on it is used."""


def in_words(seconds: float) -> str:
    """Such as "12 s", "3 minutes", "7 hours" and "5 days": from two minutes on about so long."""
    for one, name, least in _UNITS:
        if seconds >= least:
            return f"{round(seconds / one)} {name}s"
    return f"{ceil(seconds)} s"
