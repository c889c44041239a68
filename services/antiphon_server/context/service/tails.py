"""The newest messages of conversations in memory, kept up with the log itself.

A window is mostly made of what was said last. So the next one needs what the log has
after the last one, and neither the projection nor the store. Nor does the first one of a new
conversation: all that was said in it is in the log, from its beginning. One page of it: behind a
longer log (after a restart, or when the tail had to make way) the projection knows the end.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from antiphon_server.context.model.messages import (
    LogPage,
    Message,
    Totals,
    TurnRolledBack,
    Window,
    WordsErased,
)
from antiphon_server.context.model.resources import Conversation, ConversationId
from antiphon_server.context.ports import Clock, EventLog
from antiphon_server.context.service.window import MAX_WINDOW_BYTES, size_of
from antiphon_server.runtime.errors import DomainError, Reason

MAX_BYTES = 16 << 20
_A_MESSAGE = 1024
"""What a message takes in memory besides its content, in bytes."""
_A_TAIL = 2048
"""What a tail without messages takes."""
NEW_S = 3600.0
"""So long a conversation is new: no log is trimmed so soon."""
_HISTORY_LOST = frozenset({Reason.CURSOR_TRIMMED, Reason.EPOCH_CHANGED})


def _size(message: Message) -> int:
    return len(message.content.encoded) + len(message.encoded) + _A_MESSAGE


@dataclass(slots=True)
class Tail:
    """A conversation's newest messages, the newest last; ``before`` sums what is older.

    ``cursor`` is where in the log it ends, or earlier. Of what is older nothing fits into
    a window of ``covers`` tokens or fewer.
    """

    cursor: str
    covers: int
    before: Totals
    messages: list[Message] = field(default_factory=list)  # few, and a deque is 600 bytes empty
    tokens: int = 0
    size: int = _A_TAIL

    def extend(self, messages: Iterable[Message]) -> None:
        """Add what was said since; what is known is passed over, and what is no model's to read."""
        for message in messages:
            if message.content.aside or message.content.erased:
                continue
            if not self.messages or message.offset > self.messages[-1].offset:
                self.messages.append(message)
                self.tokens += message.content.tokens
                self.size += _size(message)
        while self.messages and self.tokens - self.messages[0].content.tokens > self.covers:
            self._drop_oldest()

    def _drop_oldest(self) -> None:
        oldest = self.messages.pop(0)
        tokens = oldest.content.tokens
        self.tokens -= tokens
        self.size -= _size(oldest)
        self.before = Totals(self.before.messages + 1, self.before.tokens + tokens)

    def window(self, conversation: Conversation, budget: int) -> Window | None:
        """The newest messages that fit, the newest one in any case; None if older ones might."""
        kept: list[Message] = []
        tokens = size = 0
        for message in reversed(self.messages):
            cost = message.content.tokens
            size += size_of(message)
            if kept and (tokens + cost > budget or size > MAX_WINDOW_BYTES):
                break
            kept.append(message)
            tokens += cost
        else:
            if self.before.messages and budget > self.covers:
                return None
        kept.reverse()
        omitted = Totals(
            self.before.messages + len(self.messages) - len(kept),
            self.before.tokens + self.tokens - tokens,
        )
        tools = conversation.tools
        return Window(conversation.instructions, tuple(kept), tokens, omitted, 0, tools=tools)


class Tails:
    """The tails of the conversations that were used last, bounded in bytes."""

    def __init__(
        self,
        event_log: EventLog,
        encode: Callable[[Message], bytes],
        clock: Clock,
        max_bytes: int = MAX_BYTES,
    ) -> None:
        self._log = event_log
        self._encode = encode
        self._clock = clock
        self._max_bytes = max_bytes
        self._tails: OrderedDict[ConversationId, Tail] = OrderedDict()
        self._size = 0

    async def window(self, conversation: Conversation, budget: int) -> Window | None:
        """What the tail and the log tell by now; None if that is not enough.

        Raises DomainError if the log can't be used.
        """
        conversation_id = conversation.conversation_id
        tail = self._tails.get(conversation_id)
        if tail is None:
            if conversation.create_us < (self._clock() - NEW_S) * 1e6:
                return None
            tail = self._begin(conversation_id, Tail("", budget, Totals(0, 0)))
        from_beginning = not tail.cursor
        self._tails.move_to_end(conversation_id)
        try:
            while not self._extend(conversation_id, tail, await self._read(conversation_id, tail)):
                if from_beginning:
                    self._forget(conversation_id)
                    return None
        except DomainError as error:
            self._forget(conversation_id)
            if error.reason not in _HISTORY_LOST:
                raise
            return None
        still_true = self._tails.get(conversation_id) is tail
        return tail.window(conversation, budget) if still_true else None

    def keep(self, conversation: Conversation, window: Window, budget: int, cursor: str) -> None:
        """Begin with a window that was read from the projection as of ``cursor`` or later."""
        if window.rolled_back_messages:
            return  # rare, and counted by the projection alone
        tail = Tail(cursor, budget, window.omitted)
        tail.extend(map(self._encoded, window.messages))
        self._begin(conversation.conversation_id, tail)

    def forget(self, conversation_id: ConversationId) -> None:
        """Keep nothing of what was said there."""
        self._forget(conversation_id)

    def _begin(self, conversation_id: ConversationId, tail: Tail) -> Tail:
        self._forget(conversation_id)
        self._tails[conversation_id] = tail
        self._count(tail.size)
        return tail

    async def _read(self, conversation_id: ConversationId, tail: Tail) -> LogPage:
        return await self._log.read(conversation_id, tail.cursor)

    def _extend(self, conversation_id: ConversationId, tail: Tail, page: LogPage) -> bool:
        """Bring the tail up to the page's end; True if that is the log's, or it is no use."""
        before, stands = tail.size, page.cursor == tail.cursor
        tail.cursor = page.cursor
        tail.extend(self._encoded(item) for item in page.items if isinstance(item, Message))
        if self._tails.get(conversation_id) is not tail:
            return True  # forgotten meanwhile
        self._count(tail.size - before)
        if any(isinstance(item, TurnRolledBack | WordsErased) for item in page.items):
            self._forget(conversation_id)
            return True
        return page.at_head or stands

    def _encoded(self, message: Message) -> Message:
        """The message with what each window will say of it."""
        return replace(message, encoded=self._encode(message))

    def _count(self, change: int) -> None:
        self._size += change
        while self._size > self._max_bytes and self._tails:
            _, oldest = self._tails.popitem(last=False)
            self._size -= oldest.size

    def _forget(self, conversation_id: ConversationId) -> None:
        tail = self._tails.pop(conversation_id, None)
        if tail is not None:
            self._size -= tail.size
