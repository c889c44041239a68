"""Two ways to get it wrong, which the proof has to find."""

from collections.abc import Callable, Sequence

from sqlalchemy import Connection

from antiphon_server.dispatcher.model import Turn
from antiphon_server.notifying.adapters.notes import is_told, note_of_end
from antiphon_server.notifying.model import Note
from antiphon_server.notifying.telling import Telling
from tests.proofs.notifying.clockwork import Noting


class ForgottenFirst(Telling):
    """What is to be told is forgotten before users are told it."""

    async def _tell(self, notes: Sequence[Note]) -> bool:
        await self._store.told(notes, self._now_us())
        for note in notes:
            await self._told(note)
        return True


class NotedAfter(Noting):
    """What is to be told is only known to the server that has stored the turn's end."""

    def keep(self, connection: Connection, ended: Sequence[Turn]) -> Callable[[], None]:
        """Keep nothing."""
        told = [note_of_end(turn) for turn in ended if is_told(turn)]
        return lambda: self.committed(told)
