"""Makes the summaries that are due, of sentences that were said."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from antiphon_server.memory.model import ConversationId, Place, Said
from antiphon_server.memory.ports import Conversations
from antiphon_server.memory.summaries.model import FAN_OUT, Due, Line, Node, State, Summary
from antiphon_server.memory.summaries.ports import Rarities, SummaryStore

if TYPE_CHECKING:  # stemmers come with it, which a server's start does not import
    from antiphon_server.memory.summaries.extracting import Extractor, Read


class Making:
    """Reads what a summary is of, as the context has it now, and extracts it in a thread.

    One summary at a time. Everything raises DomainError if a service or the store can't be used.
    """

    def __init__(
        self, store: SummaryStore, conversations: Conversations, rarities: Rarities
    ) -> None:
        self._store, self._conversations, self._rarities = store, conversations, rarities
        self._extractor: Extractor | None = None

    async def make(self, due: Due, now_us: int) -> bool:
        """Make it and keep it; False if that can't be done now, or somebody else has."""
        if due.node.level:
            parts = await self.parts(due)
            if len(parts) < FAN_OUT:
                return False
            summary, said = _of_parts(due.node, parts), _lines_of(parts)
            whole = True
        else:
            messages = await self.said(due.conversation_id, due.node)
            summary, said = _of_messages(due.node, messages), list(map(_line_of, messages))
            whole = False
        people, others = await self._extracted(due.conversation_id, said, whole=whole)
        made = replace(summary, people=people, assistants=others, create_us=now_us)
        return await self._store.put(due, made)

    async def said(self, conversation_id: ConversationId, node: Node) -> Sequence[Said]:
        """What stands in a block, in order: nothing that was rolled back, erased or an aside."""
        ids = await self._store.message_ids(conversation_id, node.number)
        places = [Place(conversation_id, it) for it in ids]
        kept = (await self._conversations.messages(places, in_context=True)).messages
        return [kept[it].said for it in ids if it in kept]

    async def parts(self, due: Due) -> Sequence[Summary]:
        """The summaries that one of a higher level is made of, as far as there are any."""
        found = await self._store.those(due.conversation_id, due.node.children)
        return [found[it] for it in due.node.children if it in found]

    async def forget(self) -> None:
        """Let go of all words that were met, since some of them may have to be gone."""
        if self._extractor is not None:
            await asyncio.to_thread(self._extractor.forget)

    async def _extracted(
        self, conversation_id: ConversationId, said: Sequence[Line], *, whole: bool
    ) -> tuple[Sequence[Line], Sequence[Line]]:
        if not said:
            return (), ()
        read = await asyncio.to_thread(self._read, said, whole)
        rarity = await self._rarities.rarities(conversation_id, read.terms)
        return await asyncio.to_thread(_chosen, read, rarity)

    def _read(self, said: Sequence[Line], whole: bool) -> "Read":
        from antiphon_server.memory.summaries.extracting import Extractor, Uttered

        if self._extractor is None:
            self._extractor = Extractor()
        uttered: list[Uttered] = [Uttered(it, whole) for it in said]
        return self._extractor.read(uttered)


def _chosen(read: "Read", rarity: Mapping[str, float]) -> tuple[Sequence[Line], Sequence[Line]]:
    from antiphon_server.memory.summaries.extracting import extract

    people, others = extract(read, rarity)
    return list(map(_bare, people)), list(map(_bare, others))


def _bare(line: Line) -> Line:
    return line if line.message_id else replace(line, author="")


def _line_of(said: Said) -> Line:
    return Line(said.text, said.message_id, said.author, said.time_us)


def _lines_of(parts: Sequence[Summary]) -> list[Line]:
    """All that they say, each part's people first; what a model wrote has no author of its own."""
    return [
        replace(line, author=line.author or author)
        for it in parts
        for author, lines in (("users/", it.people), ("handlers/", it.assistants))
        for line in lines
    ]


def _of_messages(node: Node, said: Sequence[Said]) -> Summary:
    if not said:
        return Summary(node)
    first, last = said[0], said[-1]
    return Summary(node, first.message_id, last.message_id, first.time_us, last.time_us, len(said))


def _of_parts(node: Node, parts: Sequence[Summary]) -> Summary:
    told = [it for it in parts if it.messages]
    if not told:
        return Summary(node)
    return Summary(
        node,
        told[0].first_message_id,
        told[-1].last_message_id,
        told[0].first_us,
        told[-1].last_us,
        sum(it.messages for it in told),
        state=State.EXTRACT,
    )
