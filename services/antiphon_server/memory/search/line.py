"""Who has to be read next: each who asks has turns, however much others have asked for."""

import asyncio
from collections import OrderedDict
from collections.abc import Iterable

from antiphon_server.memory.model import ConversationId

Outcome = asyncio.Future[bool]


class Line:
    """Conversations that wait to be read, or to be read on; each once, whoever asks for it.

    A reader takes one, reads a stretch of it, and says by ``finish`` how that ended or by ``again``
    that there is more. Those who ask have turns one after the other; of one who asks more than once
    what was asked for last comes first. It holds at most ``most`` and is used on one event loop.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._wanted: OrderedDict[str, OrderedDict[ConversationId, None]] = OrderedDict()
        self._outcomes: dict[ConversationId, Outcome] = {}
        self._taken: dict[ConversationId, str] = {}
        self._asked_meanwhile: dict[ConversationId, Outcome] = {}
        self._filled = asyncio.Event()

    def __contains__(self, conversation_id: ConversationId) -> bool:
        return conversation_id in self._outcomes

    def __len__(self) -> int:
        return len(self._outcomes)

    def ask(
        self, asker: str, conversation_ids: Iterable[ConversationId]
    ) -> dict[ConversationId, Outcome]:
        """What becomes of each: whether all is read that was there when this was called.

        They are read in this order. Those for which there is no room any more are passed over.
        """
        found = {it: self._outcome(it) for it in conversation_ids if self._room_for(it)}
        waiting = self._wanted.setdefault(asker, OrderedDict())
        for it in reversed(found):
            waiting[it] = None
            waiting.move_to_end(it, last=False)
        if not waiting:
            del self._wanted[asker]
        self._filled.set()
        return found

    async def take(self) -> ConversationId:
        """The next one; nobody else takes it until it is given back."""
        while True:
            found = self._next()
            if found is not None:
                return found
            self._filled.clear()
            await self._filled.wait()

    def is_taken(self, conversation_id: ConversationId) -> bool:
        """Whether a reader has it."""
        return conversation_id in self._taken

    def again(self, conversation_id: ConversationId) -> None:
        """There is more of it: it waits for whoever it was taken for, in front of the others."""
        asker = self._taken.pop(conversation_id)
        waiting = self._wanted.setdefault(asker, OrderedDict())
        waiting[conversation_id] = None
        waiting.move_to_end(conversation_id, last=False)
        self._filled.set()

    def finish(self, conversation_id: ConversationId, *, whole: bool) -> None:
        """It was read to its end, or can't be now; who asked meanwhile has it read once more."""
        asker = self._taken.pop(conversation_id)
        outcome = self._outcomes.pop(conversation_id)
        if not outcome.done():
            outcome.set_result(whole)
        later = self._asked_meanwhile.pop(conversation_id, None)
        if later is not None:
            self._outcomes[conversation_id] = later
            self._wanted.setdefault(asker, OrderedDict())[conversation_id] = None
            self._filled.set()

    def _room_for(self, conversation_id: ConversationId) -> bool:
        return conversation_id in self._outcomes or len(self._outcomes) < self._most

    def _outcome(self, conversation_id: ConversationId) -> Outcome:
        outcomes = self._asked_meanwhile if conversation_id in self._taken else self._outcomes
        if conversation_id not in outcomes:
            outcomes[conversation_id] = asyncio.get_running_loop().create_future()
        return outcomes[conversation_id]

    def _next(self) -> ConversationId | None:
        """The first of whose turn it is that nobody reads or has read meanwhile."""
        while self._wanted:
            asker, waiting = self._wanted.popitem(last=False)
            found = next((it for it in _emptied(waiting) if self._is_free(it)), None)
            if waiting:
                self._wanted[asker] = waiting
            if found is not None:
                self._taken[found] = asker
                return found
        return None

    def _is_free(self, conversation_id: ConversationId) -> bool:
        return conversation_id in self._outcomes and conversation_id not in self._taken


def _emptied(waiting: OrderedDict[ConversationId, None]) -> Iterable[ConversationId]:
    while waiting:
        yield waiting.popitem(last=False)[0]
