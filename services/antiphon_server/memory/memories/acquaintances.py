"""Whom and what people name: people whom they know, and what they have told of before.

A name is looked for in what its scope's person says. It makes an entity there if it is that of
an account that has spoken in the conversation, or if a fact that they tell is about it.
"""

import asyncio
from collections.abc import Collection, Mapping, Sequence

from antiphon_server.memory.extracting import Candidate, Named, known_names, names_of_facts
from antiphon_server.memory.model import ConversationId, MessageId, Said, WorkspaceId
from antiphon_server.memory.named import EntityType, Occurrence
from antiphon_server.memory.ports import Conversations, KnownNames, Names
from antiphon_server.runtime.access.principal import UserId

_USER = "users/"
_SORTS: Mapping[str, EntityType] = {
    "person": EntityType.PERSON,
    "place": EntityType.PLACE,
    "organisation": EntityType.ORGANISATION,
    "other": EntityType.OTHER,
    "": EntityType.NONE,
}
_ACCOUNT = 0.9
"""How sure it is that somebody means whoever has an account of that name there."""
Found = Sequence[tuple[MessageId, Candidate]]


class Acquaintances:
    """Finds the names in what people say: whoever found the facts in it."""

    def __init__(self, names: Names, known: KnownNames, conversations: Conversations) -> None:
        self._names, self._known, self._conversations = names, known, conversations

    async def named(
        self,
        conversation_id: ConversationId,
        said: Sequence[Said],
        found: Found,
    ) -> Sequence[tuple[MessageId, Occurrence]]:
        """The names in what was said, whose facts were found.

        Raises DomainError if the store or the conversations can't be asked.
        """
        occurrences = list[tuple[MessageId, Occurrence]]()
        authors = sorted({it.author for it in said if it.author.startswith(_USER)})
        names = await self._names.names_of([UserId(it.removeprefix(_USER)) for it in authors])
        for author in authors:
            theirs = [it for it in said if it.author == author]
            facts = [it for it in found if it[1].subject == author]
            known = await self._known.names_in(author)
            others = {name for it, name in names.items() if _USER + it != author}
            people = await self._met(conversation_id, author, theirs, others)
            occurrences += await asyncio.to_thread(_named, author, theirs, facts, known, people)
        return occurrences

    async def _met(
        self,
        conversation_id: ConversationId,
        author: str,
        theirs: Sequence[Said],
        others: Collection[str],
    ) -> Collection[str]:
        """Those of these names that they say, unless they are a guest: who learns nobody's."""
        met = {name for name in others if any(name in it.text for it in theirs)}
        if not met:
            return ()
        user_id = UserId(author.removeprefix(_USER))
        readable = await self._conversations.readable(
            user_id, WorkspaceId(""), [conversation_id], 1
        )
        may_know = conversation_id in readable.conversation_ids
        return met if may_know and conversation_id not in readable.as_guest else ()


def _named(
    author: str,
    theirs: Sequence[Said],
    found: Found,
    known: Collection[str],
    people: Collection[str],
) -> Sequence[tuple[MessageId, Occurrence]]:
    occurrences = list[tuple[MessageId, Occurrence]]()
    told = set[str](known)
    for said in theirs:
        facts = [it for message_id, it in found if message_id == said.message_id]
        of_facts = names_of_facts(said.text, facts)
        told.update(it.name for it in of_facts)
        taken = {it.start for it in of_facts}
        others = [it for it in known_names(said.text, told | set(people)) if it.start not in taken]
        occurrences += [(said.message_id, _occurrence(author, it, people)) for it in of_facts]
        occurrences += [(said.message_id, _occurrence(author, it, people)) for it in others]
    return occurrences


def _occurrence(author: str, it: Named, people: Collection[str]) -> Occurrence:
    if it.sort or it.name not in people:
        sort, tells, sure = _SORTS[it.sort], bool(it.sort), it.confidence
    else:
        sort, tells, sure = EntityType.PERSON, True, _ACCOUNT
    return Occurrence(author, it.name, sort, tells, sure, start=it.start, end=it.end)
