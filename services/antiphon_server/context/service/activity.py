"""When conversations were last active: what lists are ordered by, and no more."""

from collections.abc import Mapping

from antiphon_server.context.model.resources import ConversationId
from antiphon_server.context.ports import Store
from antiphon_server.context.service.directory import Directory
from antiphon_server.runtime.concurrency.completion import Completion
from antiphon_server.runtime.concurrency.latest import Latest
from antiphon_server.runtime.concurrency.retry import retrying
from antiphon_server.runtime.concurrency.retry_policies import SOON
from antiphon_server.runtime.errors import DomainError

MISSING_AT_ONCE = 500


class Activities:
    """Keeps them. What was said here is ``noted``, and recorded about a second later."""

    def __init__(self, store: Store, directory: Directory) -> None:
        self._store = store
        self._directory = directory
        self._completion = Completion()
        self.noted: Latest[ConversationId] = Latest(self.record)

    async def record(self, activities: Mapping[ConversationId, int]) -> None:
        """Keep when conversations were active, in microseconds since 1970; the later counts.

        Raises DomainError STORE_UNAVAILABLE, OVERLOADED.
        """
        if activities:
            await self._completion.run(self._record(activities))

    async def _record(self, activities: Mapping[ConversationId, int]) -> None:
        await self._store.write(lambda records: records.conversations.note(activities), short=True)
        self._directory.noted(activities)

    async def run(self) -> None:
        """Record what is noted, until cancelled; first of all what older servers left out."""
        await retrying(self._note_missing, SOON, DomainError)
        await self.noted.run()

    async def _note_missing(self) -> None:
        """In pieces, each a transaction of its own: nobody waits for a whole table."""
        while await self._store.write(lambda r: r.conversations.note_missing(MISSING_AT_ONCE)):
            pass

    async def close(self) -> None:
        """Record what is left."""
        await self.noted.close()
        await self._completion.close()
