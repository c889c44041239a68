"""How every change is made: commit, forget stale roles, tell others, answer."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from antiphon_server.context.model.changes import Change, OutboxEntry, Repeatable, Scope
from antiphon_server.context.model.resources import ConversationId
from antiphon_server.context.ports import Records, Store
from antiphon_server.context.service.directory import Directory
from antiphon_server.context.service.relay import Relay
from antiphon_server.context.service.role_cache import Roles
from antiphon_server.runtime.access.principal import Principal, UserId
from antiphon_server.runtime.concurrency.completion import Completion
from antiphon_server.runtime.encoding.ids import new_id
from antiphon_server.runtime.errors import DomainError, Reason

T = TypeVar("T")
RELAY_WAIT_S = 2.0


class Changes:
    """Makes changes; one that was begun is finished even if its caller goes away."""

    def __init__(
        self,
        store: Store,
        roles: Roles,
        directory: Directory,
        to_log: Relay,
        to_trail: Relay,
        relay_wait_s: float = RELAY_WAIT_S,
    ) -> None:
        self._store = store
        self._roles = roles
        self._directory = directory
        self._to_log = to_log
        self._to_trail = to_trail
        self._relay_wait_s = relay_wait_s
        self._completion = Completion()

    async def make(
        self,
        work: Callable[[Records], T],
        of_user: UserId | None = None,
        of_conversation: ConversationId | None = None,
        *,
        audited: bool = False,
    ) -> T:
        """Commit ``work``; ``of_user`` is whose roles it changes.

        ``of_conversation`` is the conversation that it changes, if that was there before.
        What is ``audited`` is for the audit trail, too.

        The log and the trail have normally been told when this returns; if they can't be told
        soon, that is made up for later and fails nothing. Raises what ``work`` raises, and
        DomainError STORE_UNAVAILABLE and OVERLOADED.
        """
        change: Awaitable[T] = self._store.write(work, short=True)
        if of_user is not None:
            change = self._roles.changing(of_user, change)
        if of_conversation is not None:
            change = self._directory.changing(of_conversation, change)
        result, told = await self._completion.run(self._commit(change, audited))
        await asyncio.wait(told, timeout=self._relay_wait_s)
        return result

    async def _commit(
        self, change: Awaitable[T], audited: bool
    ) -> tuple[T, set[asyncio.Task[bool]]]:
        result = await change
        told = {self._completion.begin(self._to_log.relay_outbox())}
        if audited:
            told.add(self._completion.begin(self._to_trail.relay_outbox()))
        return result, told

    async def tell_log(self) -> None:
        """Tell the log of all that waits, as far as it can be told now."""
        await self._to_log.told()

    async def close(self) -> None:
        """Wait for the changes that were begun."""
        await self._completion.close()
        for relay in (self._to_log, self._to_trail):
            await relay.close()


def add_to_outbox(records: Records, principal: Principal, scope: Scope, *changes: Change) -> None:
    """Have the log told, together, of what this transaction changes."""
    entry = OutboxEntry(new_id("out"), scope, principal.actor, changes)
    records.outbox.add(entry)


def answered(records: Records, request: Repeatable[T] | None) -> T | None:
    """What the same request got before; None if it is new or can't be told.

    Raises DomainError REQUEST_ID_REUSED if its id was used with another body.
    """
    if request is None:
        return None
    key = request.key
    past = records.requests.find(key.actor, key.request_id)
    if past is None:
        return None
    if past.digest != key.digest:
        raise DomainError(Reason.REQUEST_ID_REUSED, request_id=key.request_id)
    return request.decode(past.answer)


def answered_first(records: Records, request: Repeatable[T] | None, answer: T, now: int) -> T:
    """``answer``, which is remembered; or what the same request got at another server meanwhile.

    Called before anything is written that only one of them may write. Raises DomainError
    REQUEST_ID_REUSED.
    """
    if request is None or records.requests.add(request.key, request.encode(answer), now):
        return answer
    return answered(records, request) or answer
