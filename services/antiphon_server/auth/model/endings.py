"""That a session ended, in the order of all endings of the installation."""

from dataclasses import dataclass

from antiphon_server.runtime.access.principal import SessionId

KEPT_ENDINGS = 86_400_000_000
"""How long endings are kept, in microseconds: far longer than any access token lives."""


@dataclass(frozen=True, slots=True)
class Ending:
    """A session's end and its place: whoever has seen a place has seen all before it."""

    position: int
    session_id: SessionId
    end_time: int
