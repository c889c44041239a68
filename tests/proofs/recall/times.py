"""When turns were said, from times as people write them."""

from collections.abc import Iterator, Sequence
from datetime import UTC
from functools import lru_cache

import dateparser

from tests.proofs.recall.conversations import Turn

_LANGUAGES = ["en", "de", "fr", "es"]
_SECOND_US = 1_000_000
_TURN_US = 20 * _SECOND_US
_DAY_US = 86_400 * _SECOND_US


def times_us(turns: Sequence[Turn]) -> Iterator[int]:
    """The time of each turn in microseconds since 1970, rising within a session.

    Turns that give no time of their own, or one that can't be read, follow the one before 20
    seconds later; a new session begins a day later then.
    """
    now, session, written = _DAY_US, None, None
    for turn in turns:
        read = parsed(turn.time) if turn.time != written else None
        if read is not None:
            now = read
        else:
            now += _TURN_US if session in (None, turn.session) else _DAY_US
        session, written = turn.session, turn.time
        yield now


@lru_cache(maxsize=4096)
def parsed(written: str) -> int | None:
    """The time in microseconds since 1970, as if in UTC where no zone is said; None if unclear."""
    found = dateparser.parse(written, languages=_LANGUAGES) if written else None
    if found is None:
        return None
    aware = found if found.tzinfo else found.replace(tzinfo=UTC)
    return int(aware.timestamp()) * _SECOND_US
