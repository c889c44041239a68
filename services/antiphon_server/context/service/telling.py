"""The log is told of changes where they happened, and in the logs of those whose lists change."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from antiphon_server.context.model.changes import EncodedEntry, Scope, resource_of, user_scope
from antiphon_server.context.ports import EventLog, Store
from antiphon_server.runtime.access.principal import UserId

READERS = 100
"""So many are told side by side, then the next: a workspace may have thousands."""


class Telling:
    """Tells an entry of the outbox; told again, all of it is known.

    ``for_lists`` is what of it readers are told in their own logs, None for nothing. They are
    those who may read the resource when they are told: who was removed learns nothing more.
    """

    def __init__(
        self,
        store: Store,
        log: EventLog,
        for_lists: Callable[[EncodedEntry], EncodedEntry | None],
    ) -> None:
        self._store = store
        self._log = log
        self._for_lists = for_lists

    async def tell(self, entry: EncodedEntry) -> None:
        """Commit it in all these logs. Raises DomainError as :meth:`EventLog.append`."""
        listed = None if entry.superseded else self._for_lists(entry)
        if listed is None:
            await self._log.append(entry)
        else:
            await _all([self._log.append(entry), self._tell_readers(listed)])

    async def _tell_readers(self, entry: EncodedEntry) -> None:
        resource, last = resource_of(Scope(entry.listener)), UserId("")
        while True:
            page = await self._store.read(
                lambda r, after=last: r.members.readers(resource, after, READERS),  # type: ignore[misc]
                snapshot=False,
            )
            await _all([self._log.append(entry, to=user_scope(it)) for it in page])
            if len(page) < READERS:
                return
            last = page[-1]


async def _all(works: Sequence[Awaitable[object]]) -> None:
    """Wait for all; raises what the first one raised that failed."""
    for came in await asyncio.gather(*works, return_exceptions=True):
        if isinstance(came, BaseException):
            raise came
