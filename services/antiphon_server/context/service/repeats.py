"""Posts that may be repeated: what they post, and whether the same was posted before."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from antiphon_server.context.model.changes import Answer, RequestKey
from antiphon_server.context.model.messages import Content, Message, MessageId, NewMessage
from antiphon_server.context.model.resources import ConversationId
from antiphon_server.context.ports import Records, Store
from antiphon_server.context.service.projection import Projection
from antiphon_server.runtime.encoding.ids import new_id

DAY_S = 86_400
_DAYS = (0, -1, 1, -2, 2)
"""The log knows a request for 25 hours, which may touch three days: those before, or those
to come where the clock was set back meanwhile."""
_POSTED = Answer("posted", b"")


@dataclass(frozen=True, slots=True)
class Wish:
    """A message that somebody wants posted. ``now`` is in Unix seconds."""

    actor: str
    conversation_id: ConversationId
    content: Content
    request_id: str
    now: float

    @property
    def log_request(self) -> str:
        """What makes a repeated request known to the log; empty without a request id."""
        return f"post:{self._digest()}" if self.request_id else ""

    @property
    def key(self) -> RequestKey:
        """Identifies the request, with what it says."""
        said = f"{self.log_request}\0".encode() + self.content.encoded
        return RequestKey(self.actor, self.log_request, hashlib.sha256(said).digest())

    def messages(self) -> Iterator[NewMessage]:
        """The message to post, and those that it may be a repetition of.

        A repeated request is the same message, but a request id may be used again when the
        log has forgotten it, for another one: so ids change every day, and the first try
        may have been on another one.
        """
        if not self.request_id:
            yield self._message(new_id("msg"))
            return
        today = int(self.now // DAY_S)
        for day in _DAYS:
            yield self._message(f"msg_{self._digest(str(today + day))}")

    def _message(self, message_id: str) -> NewMessage:
        return NewMessage(MessageId(message_id), self.conversation_id, self.actor, self.content)

    def _digest(self, day: str = "") -> str:
        seed = "\0".join((self.actor, self.conversation_id, self.request_id, day))
        return hashlib.sha256(seed.encode()).hexdigest()[:26]


class Repeat:
    """Tells whether a post is one that was made before, when somebody asks; ``said`` is it then.

    Filters that have changed since would leave something else of it, or nothing.
    """

    def __init__(self, store: Store, projection: Projection, wish: Wish) -> None:
        self._store, self._projection, self._wish = store, projection, wish
        self.said: Message | None = None

    async def __call__(self) -> bool:
        """Whether it was. Raises DomainError if the log or the store can't be used."""
        if self._wish.request_id and self.said is None:
            await self._projection.catch_up(self._wish.conversation_id)
            self.said = await self._store.read(self._find)
        return self.said is not None

    async def was_cut(self) -> bool:
        """Whether filters have left something else of it when it was posted."""
        return bool(self._wish.request_id) and await self._store.read(self._is_kept)

    async def keep(self) -> None:
        """Remember what it says, by a digest: what is posted of it is something else."""
        key, now_us = self._wish.key, int(self._wish.now * 1e6)
        if self._wish.request_id:
            await self._store.write(lambda r: r.requests.add(key, _POSTED, now_us))

    def _find(self, records: Records) -> Message | None:
        for it in self._wish.messages():
            said = records.messages.find(it.conversation_id, it.message_id)
            if said is not None and self._is_same(records, said):
                return said
        return None

    def _is_same(self, records: Records, said: Message) -> bool:
        if said.content == self._wish.content:
            return True
        return self._is_kept(records)

    def _is_kept(self, records: Records) -> bool:
        key = self._wish.key
        past = records.requests.find(key.actor, key.request_id)
        return past is not None and past.digest == key.digest
