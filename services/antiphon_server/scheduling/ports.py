"""What schedules need from outside."""

from collections.abc import Collection, Sequence
from typing import Protocol

from antiphon_server.scheduling.model import Due, Position, Run, Schedule, Untold


class ScheduleStore(Protocol):
    """Keeps schedules, and what became of their newest due times."""

    async def add(self, schedule: Schedule) -> Schedule:
        """Store one unless one of its id is there; returns the one that is.

        Raises DomainError LIMIT_EXCEEDED, ALREADY_EXISTS.
        """
        ...

    async def get(self, conversation_id: str, schedule_id: str) -> Schedule | None:
        """One as it is now; None if there is none."""
        ...

    async def list(self, conversation_id: str, after: Position, limit: int) -> Sequence[Schedule]:
        """Those of a conversation that were made behind ``after``, in that order."""
        ...

    async def of_workspace(
        self, workspace_id: str, after: Position, limit: int
    ) -> Sequence[Schedule]:
        """Those of a workspace, as :meth:`list`."""
        ...

    async def of_creator(self, creator: str, after: Position, limit: int) -> Sequence[Schedule]:
        """Those that somebody made, as :meth:`list`."""
        ...

    async def change(
        self, schedule: Schedule, before: str, *, anew: bool, named: Collection[str]
    ) -> bool:
        """Replace what callers change, if its etag is still ``before``; whether it was.

        The audit trail is told which fields were ``named``.

        When it is due next, and whether it is paused, is replaced only if that was found ``anew``:
        a due time may have been decided meanwhile.
        """
        ...

    async def delete(self, conversation_id: str, schedule_id: str) -> None:
        """Take one away, with its runs. Whoever calls is who did it, here as in add and change."""
        ...

    async def due(self, until_us: int, after: Position, limit: int) -> Sequence[Due]:
        """Those that are due until then, the oldest first.

        They are behind ``after``, whose time is a due one.
        """
        ...

    async def advance(self, schedule: Schedule, run: Run, next_us: int | None) -> bool:
        """Note what became of a due time; whether it was due as ``schedule`` says, still.

        Only then anything changes, but that a turn which was started is noted in any case.
        ``paused`` and ``failures`` of ``schedule`` are those from now on.
        """
        ...

    async def note(self, schedule: Schedule, run: Run) -> None:
        """Note a run that somebody asked for; what is due stays as it is."""
        ...

    async def runs(self, conversation_id: str, schedule_id: str) -> Sequence[Run]:
        """What became of the newest due times, the newest first."""
        ...

    async def untold(self, limit: int) -> Sequence[Untold]:
        """What was left out or refused, and stands in no log yet, the oldest first."""
        ...

    async def told(self, it: Untold) -> None:
        """Note that it stands in the log."""
        ...


class Front(Protocol):
    """What a schedule passes before it is kept: its conversation, and the filters there."""

    async def admitted(self, wanted: Schedule) -> Schedule:
        """A new one with its workspace, and with what filters leave of it.

        Raises DomainError NOT_FOUND, CONVERSATION_ARCHIVED, CONTENT_BLOCKED, FILTER_UNAVAILABLE.
        """
        ...

    async def left(self, changed: Schedule) -> Schedule:
        """One that says something else, with what filters leave of it.

        Raises DomainError CONTENT_BLOCKED, FILTER_UNAVAILABLE.
        """
        ...


class Announces(Protocol):
    """The log where people look who wonder why nothing came."""

    async def announce(self, it: Untold) -> None:
        """Say there what became of a due time; once, however often it is said.

        Raises DomainError.
        """
        ...


class Watches(Protocol):
    """Counts what becomes of due times."""

    def looked(self, due: int) -> None:
        """So many schedules were due."""
        ...

    def decided(self, run: Run) -> None:
        """A due time was decided."""
        ...


class Starter(Protocol):
    """Starts schedules' turns in their creators' names."""

    def place(self, schedule: Schedule, turn_id: str) -> str:
        """The conversation where a turn would be, or is."""
        ...

    async def ours(self, schedule: Schedule, turn_id: str) -> bool:
        """Whether this server decides about a turn, and no other one does for now.

        Raises DomainError.
        """
        ...

    async def start(self, schedule: Schedule, turn_id: str, due_us: int) -> bool:
        """Start a turn, once for each id; False if another server decides about its turns.

        Raises DomainError for what refuses it.
        """
        ...

    async def came(self, schedule: Schedule, turn_id: str) -> bool:
        """Whether a turn was started before, by a server that could not note it."""
        ...
