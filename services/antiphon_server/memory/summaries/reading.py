"""Shows the summaries of a conversation, and none that is not true any more."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from antiphon_server.memory.model import ConversationId, MessageId, WorkspaceId
from antiphon_server.memory.ports import Conversations, Logs, Names
from antiphon_server.memory.summaries.covering import cover, finer, fitted, without
from antiphon_server.memory.summaries.model import Line, Node, Place, Summary
from antiphon_server.memory.summaries.ports import SummaryStore
from antiphon_server.runtime.access.principal import Principal, UserId
from antiphon_server.runtime.errors import DomainError, Reason

MOST_PAGES = 3
"""Of a log that is read to see whether summaries are true: who is further behind shows none."""
MOST_NODES = 64
"""Where so many summaries tell of the beginning, what is to be made is not looked into."""
_LOST = (Reason.CURSOR_TRIMMED, Reason.EPOCH_CHANGED)
_USER = "users/"


@dataclass(frozen=True, slots=True)
class Shown:
    """Summaries that fit, in order; ``left_out`` others don't, ``pending`` ones are to be made."""

    summaries: Sequence[Summary] = ()
    left_out: int = 0
    pending: int = 0


@dataclass(frozen=True, slots=True)
class Listed:
    """A page of summaries; ``last`` is behind what the next one is. So many others are pending."""

    summaries: Sequence[Summary]
    last: Node | None
    pending: int


class Reading:
    """Reads summaries. ``want`` is told of conversations that need them."""

    def __init__(
        self,
        store: SummaryStore,
        logs: Logs,
        conversations: Conversations,
        names: Names,
        want: Callable[[ConversationId], None],
    ) -> None:
        self._store, self._logs, self.want = store, logs, want
        self._conversations, self._names = conversations, names

    async def shown(
        self, conversation_id: ConversationId, first_shown: MessageId, first_us: int, budget: int
    ) -> Shown:
        """What tells of all before that message, said then, in so many tokens.

        Finer the newer it is. Of a stretch that ends behind it, sentences before it are told.

        Raises DomainError if a service or the store can't be used.
        """
        place = (await self._store.places([conversation_id])).get(conversation_id)
        if place is None or not place.block:
            return Shown()
        bad = await self._untrue(conversation_id, place)
        if bad is None:
            return Shown(pending=1)
        own = await self._store.blocks_of(conversation_id, [first_shown], ())
        blocks = min([*(it + 1 for it in own), place.block])
        nodes = without(cover(blocks), bad)
        known = dict(await self._store.those(conversation_id, nodes))
        while True:  # each step costs a query of an index, and there are few levels
            nodes = await self._with_parts(conversation_id, nodes, known)
            nodes, is_finer = finer(nodes, known, budget)
            if not is_finer:
                break
        told = [known[it] for it in nodes if it in known]
        kept, left_out = fitted([_before(it, first_shown, first_us) for it in told], budget)
        return Shown(kept, left_out, len(nodes) - len(told))

    async def those(
        self, conversation_id: ConversationId, nodes: Collection[Node]
    ) -> Mapping[Node, Summary]:
        """Those of some that are true. Raises DomainError if they can't be read."""
        place = (await self._store.places([conversation_id])).get(conversation_id)
        bad = await self._untrue(conversation_id, place) if place is not None else None
        if bad is None:
            return {}
        found = await self._store.those(conversation_id, nodes)
        return {node: it for node, it in found.items() if not any(map(node.has, bad))}

    async def listed(
        self,
        principal: Principal,
        conversation_id: ConversationId,
        level: int | None,
        after: Node | None,
        limit: int,
    ) -> Listed:
        """Those behind one, but for those of which no message is left.

        Raises DomainError if a service or the store can't be used.
        """
        place = (await self._store.places([conversation_id])).get(conversation_id)
        pending = await self._store.pending(conversation_id)
        bad = await self._untrue(conversation_id, place) if place is not None else None
        if bad is None:
            return Listed((), None, pending)
        found = await self._store.listed(conversation_id, level, after, limit + 1)
        last = found[limit - 1].node if len(found) > limit else None
        true = [it for it in found[:limit] if not any(map(it.node.has, bad))]
        hidden = min(len(found), limit) - len(true)
        told = [it for it in true if it.messages]
        named = await self._named(principal, conversation_id, told)
        return Listed(named, last, pending + hidden)

    async def _untrue(
        self, conversation_id: ConversationId, place: Place
    ) -> Collection[int] | None:
        """Blocks of which something was erased or rolled back since; None if that isn't known."""
        if place.is_begun:
            return None
        cursor, erased, undone = place.cursor, set[MessageId](), set[str]()
        for _ in range(MOST_PAGES):
            try:
                page = await self._logs.read(conversation_id, cursor)
            except DomainError as error:
                if error.reason not in _LOST:
                    raise
                return None
            erased.update(page.erased)
            undone.update(page.undone)
            if page.at_head or page.cursor == cursor:
                return await self._blocks_of(conversation_id, erased, undone)
            cursor = page.cursor
        return None

    async def _blocks_of(
        self,
        conversation_id: ConversationId,
        erased: Collection[MessageId],
        undone: Collection[str],
    ) -> Collection[int]:
        if not erased and not undone:
            return ()
        return await self._store.blocks_of(conversation_id, erased, undone)

    async def _with_parts(
        self, conversation_id: ConversationId, nodes: Sequence[Node], known: dict[Node, Summary]
    ) -> list[Node]:
        """What is to be made replaced by its parts; those of the newest coarse one are known."""
        while missing := [it for it in nodes if it.level and it not in known]:
            if len(nodes) > MOST_NODES:
                break
            nodes = [part for it in nodes for part in (it.children if it in missing else (it,))]
            await self._learn(conversation_id, nodes, known)
        newest = next((it for it in reversed(nodes) if it.level), None)
        if newest is not None:
            await self._learn(conversation_id, newest.children, known)
        return list(nodes)

    async def _learn(
        self, conversation_id: ConversationId, nodes: Sequence[Node], known: dict[Node, Summary]
    ) -> None:
        unknown = [it for it in nodes if it not in known]
        known |= await self._store.those(conversation_id, unknown)

    async def _named(
        self, principal: Principal, conversation_id: ConversationId, found: Sequence[Summary]
    ) -> Sequence[Summary]:
        """With what authors are called, for users who are more than guests there."""
        if principal.kind != "user" or not found:
            return found
        where = await self._conversations.readable(
            principal.user_id, WorkspaceId(""), [conversation_id], 1
        )
        if conversation_id not in where.conversation_ids or where.as_guest:
            return found
        authors = {line.author for it in found for line in it.lines}
        people = {UserId(it.removeprefix(_USER)) for it in authors if it.startswith(_USER)}
        names = await self._names.names_of(people)
        return [_with_names(it, names) for it in found]


def _before(it: Summary, first_shown: MessageId, first_us: int) -> Summary:
    """Without what a prompt has anyway. What a model wrote is of the whole stretch."""
    if it.first_message_id == first_shown:
        return replace(it, people=(), assistants=())
    if it.last_us < first_us:
        return it
    people = [line for line in it.people if line.time_us < first_us]
    assistants = [line for line in it.assistants if line.time_us < first_us]
    return replace(it, people=people, assistants=assistants)


def _with_names(it: Summary, names: Mapping[UserId, str]) -> Summary:
    def named(line: Line) -> Line:
        name = names.get(UserId(line.author.removeprefix(_USER)), "")
        return replace(line, author_name=name)

    return replace(it, people=list(map(named, it.people)))
