"""Asks the product's own index the questions of a conversation."""

from collections.abc import Iterator

from antiphon_server.memory.index import Document, DocumentId, Index, PartitionKey, Query
from tests.proofs.recall.conversations import Conversation
from tests.proofs.recall.times import times_us

ASKED = 100
ALL = 1_000_000


def documents(conversation: Conversation) -> list[Document]:
    """The turns as an index takes them."""
    return [
        Document(DocumentId(turn.id), turn.text, turn.speaker, "", time_us, "message")
        for turn, time_us in zip(conversation.turns, times_us(conversation.turns), strict=True)
    ]


def loaded(index: Index, conversation: Conversation) -> PartitionKey:
    """The partition that the conversation is in, with vectors if the index makes some."""
    key = PartitionKey(f"conversations/{conversation.name}")
    index.extend(key, documents(conversation))
    index.encode(key, ALL)
    return key


def ranked(index: Index, conversation: Conversation) -> Iterator[list[str]]:
    """For each question the ids of up to 100 turns, best first, of this conversation alone.

    Turns that have nothing of the question follow in their order, as far as there is room.
    """
    key = loaded(index, conversation)
    for question in conversation.questions:
        asked = Query(question.text, limit=ASKED, least_alike=-1)
        hits = index.search(asked, [key])
        found = [str(hit.document_id) for hit in hits]
        others = [turn.id for turn in conversation.turns if turn.id not in set(found)]
        yield (found + others)[:ASKED]
    index.drop(key)
