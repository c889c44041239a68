"""Those around the context service: who calls, accounts, the time; a log and a trail that fail."""

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TypeVar

from antiphon_server.context.adapters.sql import SqlStore
from antiphon_server.context.model.changes import EncodedEntry, OutboxEntry, Scope
from antiphon_server.context.model.messages import LogPage, NewMessage, Offset, Placed
from antiphon_server.context.model.resources import ConversationId
from antiphon_server.context.model.role_changes import RoleChange
from antiphon_server.context.ports import EventLog, Records
from antiphon_server.runtime.access.principal import Principal, SessionId, UserId
from antiphon_server.runtime.errors import DomainError, Reason, not_found
from antiphon_server.runtime.storage.database import Database
from tests.context.entries import entry_of, role_change_of

ANN, BOB, CAT = "user_ann00000", "user_bob00000", "user_cat00000"
T = TypeVar("T")
NOBODY = "user_nobody000"
SERVICE = "service"
OPERATOR = "user_operator"


class Tokens:
    """A verifier for which a token is the user's id, or the word ``service``."""

    async def verify(self, token: str) -> Principal:
        kind: Sequence[str] = ("service", "test") if token == SERVICE else ("user", token)
        return Principal(
            "service" if kind[0] == "service" else "user",
            UserId(kind[1]),
            SessionId("s"),
            operator=token == OPERATOR,
        )


class Accounts:
    """Everybody has an account but ``NOBODY``; ``asked`` is how often names were asked for."""

    def __init__(self) -> None:
        self.away = False
        self.asked = 0

    async def require(self, user_id: UserId) -> str:
        if user_id == NOBODY:
            raise not_found(f"users/{user_id}")
        return name_of(user_id)

    async def names_of(self, user_ids: Collection[UserId]) -> Mapping[UserId, str]:
        self.asked += 1
        if self.away:
            return {}
        return {user_id: name_of(user_id) for user_id in user_ids}


def name_of(user_id: str) -> str:
    """What somebody is called."""
    return f"name of {user_id}"


class Clock:
    """A clock that advances by a millisecond whenever it is read."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        self.now += 0.001
        return self.now


class Held(SqlStore):
    """A store that counts its reads, and waits where it is told to.

    ``write_begun`` is set when a change is asked for, which is made when ``may_write`` is set;
    what was read is answered when ``may_answer`` is.
    """

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.reads = 0
        self.write_begun, self.may_write, self.may_answer = (asyncio.Event() for _ in range(3))
        self.may_write.set()
        self.may_answer.set()

    async def read(self, work: Callable[[Records], T], *, snapshot: bool = True) -> T:
        self.reads += 1
        result = await super().read(work, snapshot=snapshot)
        await self.may_answer.wait()
        return result

    async def write(self, work: Callable[[Records], T], *, short: bool = False) -> T:
        self.write_begun.set()
        await self.may_write.wait()
        return await super().write(work, short=short)


class Flaky:
    """The log, which can be taken away, or refuse one scope.

    ``appends`` are the entries that it was asked to keep, but for what lists are told: those are
    counted, as ``lists``. It breaks when it has ``breaks_after`` told so many lists.
    """

    def __init__(self, inner: EventLog) -> None:
        self.inner = inner
        self.broken = False
        self.refused = ""
        self.why = Reason.OVERLOADED
        self.appends: list[OutboxEntry] = []
        self.breaks_after = -1
        self.lists = 0

    async def append(self, entry: EncodedEntry, to: Scope | None = None) -> None:
        self._check()
        if to is not None:
            self.lists += 1
            self.broken = self.breaks_after == 0
            self.breaks_after -= 1
            self._check()
            await self.inner.append(entry, to)
            return
        if self.refused and entry.listener == self.refused:
            raise DomainError(self.why)
        said = entry_of(entry)
        self.appends.append(said)
        await self.inner.append(entry)

    async def post(self, message: NewMessage, request_id: str) -> Placed:
        self._check()
        return await self.inner.post(message, request_id)

    async def read(self, conversation_id: ConversationId, cursor: str) -> LogPage:
        self._check()
        return await self.inner.read(conversation_id, cursor)

    async def trim(self, conversation_id: ConversationId, before: Offset) -> None:
        await self.inner.trim(conversation_id, before)

    def _check(self) -> None:
        if self.broken:
            raise DomainError(Reason.STORE_UNAVAILABLE)


class Trail:
    """What the audit trail would be told, each entry once; it can be taken away."""

    def __init__(self) -> None:
        self._changes: dict[str, RoleChange] = {}
        self.broken = False

    @property
    def changes(self) -> list[RoleChange]:
        """Those that were told, in that order."""
        return list(self._changes.values())

    async def role_changed(self, change: EncodedEntry) -> None:
        """See :meth:`RoleAudit.role_changed`."""
        if self.broken:
            raise DomainError(Reason.STORE_UNAVAILABLE)
        self._changes.setdefault(change.entry_id, role_change_of(change))
