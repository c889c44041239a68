"""A log in memory, for the context service on its own."""

from antiphon_server.context.model.changes import (
    Change,
    EncodedEntry,
    OutboxEntry,
    Scope,
    conversation_scope,
)
from antiphon_server.context.model.messages import (
    LogPage,
    Message,
    MessageRole,
    NewMessage,
    Offset,
    Placed,
    TurnRolledBack,
)
from antiphon_server.context.model.resources import ConversationId
from antiphon_server.context.ports import Clock
from antiphon_server.runtime.errors import DomainError, Reason
from tests.fakes.memory.context.entries import entry_of

_PAGE = 100


class MemoryEventLog:
    """An :class:`~antiphon_server.context.ports.EventLog` that forgets at the end.

    ``told`` is what was appended, by scope; a cursor is an epoch and an offset.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.told: dict[Scope, list[tuple[Offset, Change | Message | TurnRolledBack]]] = {}
        self._requests: dict[tuple[Scope, str], object] = {}
        self._places: dict[tuple[Scope, str], Placed] = {}
        self._earliest: dict[Scope, int] = {}
        self._last: dict[Scope, int] = {}
        self._epoch = 1

    async def append(self, entry: EncodedEntry) -> None:
        """See :meth:`EventLog.append`."""
        self._append(entry_of(entry))

    def _append(self, entry: OutboxEntry) -> None:
        if self._is_new(entry.scope, entry.entry_id, entry):
            for change in entry.changes:
                self._add(entry.scope, change)

    async def post(self, message: NewMessage, request_id: str) -> Placed:
        """See :meth:`EventLog.post`."""
        scope = conversation_scope(message.conversation_id)
        if not request_id:
            return self.say(message, MessageRole.USER, "")
        if self._is_new(scope, request_id, message):
            self._places[scope, request_id] = self.say(message, MessageRole.USER, "")
        return self._places[scope, request_id]

    def say(self, message: NewMessage, role: MessageRole, turn_id: str) -> Placed:
        """Commit a message of a turn, as the dispatcher does; returns its place."""
        scope = conversation_scope(message.conversation_id)
        offset, now = self._next(scope), int(self._clock() * 1e6)
        said = Message(
            message.message_id,
            message.conversation_id,
            offset,
            role,
            message.author,
            turn_id,
            False,
            now,
            message.content,
        )
        self._add(scope, said)
        return Placed(offset, now)

    def roll_back(self, conversation_id: ConversationId, turn_id: str) -> None:
        """Commit the end of a turn whose messages are left out from now on."""
        self._add(conversation_scope(conversation_id), TurnRolledBack(turn_id))

    async def read(self, conversation_id: ConversationId, cursor: str) -> LogPage:
        """See :meth:`EventLog.read`."""
        scope = conversation_scope(conversation_id)
        earliest = self._earliest.get(scope, 1)
        epoch, after = map(int, cursor.split(".")) if cursor else (self._epoch, earliest - 1)
        if epoch != self._epoch:
            raise self._lost(Reason.EPOCH_CHANGED, scope)
        if after + 1 < earliest:
            raise self._lost(Reason.CURSOR_TRIMMED, scope)
        rows = [row for row in self.told.get(scope, ()) if row[0] > after]
        page = rows[:_PAGE]
        items = tuple(it for _, it in page if isinstance(it, Message | TurnRolledBack))
        position = page[-1][0] if page else after
        return LogPage(items, f"{epoch}.{position}", at_head=len(rows) <= _PAGE)

    async def trim(self, conversation_id: ConversationId, before: Offset) -> None:
        """See :meth:`EventLog.trim`."""
        scope = conversation_scope(conversation_id)
        self._earliest[scope] = max(before, self._earliest.get(scope, 1))
        self.told[scope] = [row for row in self.told.get(scope, ()) if row[0] >= before]

    def earliest(self, conversation_id: ConversationId) -> int:
        """The first place that is still there."""
        return self._earliest.get(conversation_scope(conversation_id), 1)

    def forget_requests(self) -> None:
        """Know no request of before, as after 25 hours."""
        self._requests.clear()
        self._places.clear()

    def rebuild(self, conversation_id: ConversationId) -> None:
        """Lose the history and begin a new epoch, as after a disaster."""
        scope = conversation_scope(conversation_id)
        self._epoch += 1
        for known in (self.told, self._last, self._earliest):
            known.pop(scope, None)

    def _lost(self, reason: Reason, scope: Scope) -> DomainError:
        earliest = self._earliest.get(scope, 1)
        cursor = f"{self._epoch}.{earliest - 1}"
        return DomainError(reason, scope=scope, earliest_offset=earliest, earliest_cursor=cursor)

    def _is_new(self, scope: Scope, request_id: str, body: object) -> bool:
        key = scope, request_id
        if key not in self._requests:
            self._requests[key] = body
            return True
        if self._requests[key] != body:
            raise DomainError(Reason.REQUEST_ID_REUSED, request_id=request_id)
        return False

    def _next(self, scope: Scope) -> Offset:
        return Offset(self._last.get(scope, 0) + 1)

    def _add(self, scope: Scope, item: Change | Message | TurnRolledBack) -> None:
        offset = self._last[scope] = self._next(scope)
        self.told.setdefault(scope, []).append((offset, item))
