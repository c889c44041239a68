"""Asks the product's own index the questions of a conversation."""

from collections.abc import Iterator

from antiphon_server.memory.index import Document, DocumentId, Index, PartitionKey, Query
from tests.proofs.recall.conversations import Conversation
from tests.proofs.recall.times import times_us

ASKED = 100


def documents(conversation: Conversation) -> list[Document]:
    """The turns as an index takes them."""
    return [
        Document(DocumentId(turn.id), turn.text, turn.speaker, "", time_us, "message")
        for turn, time_us in zip(conversation.turns, times_us(conversation.turns), strict=True)
    ]


def ranked(index: Index, conversation: Conversation) -> Iterator[list[str]]:
    """For each question the ids of up to 100 turns, best first, of this conversation alone."""
    key = PartitionKey(f"conversations/{conversation.name}")
    index.extend(key, documents(conversation))
    for question in conversation.questions:
        hits = index.search(Query(question.text, limit=ASKED), [key])
        yield [str(hit.document_id) for hit in hits]
    index.drop(key)
