"""Documents for tests, and what is found of them."""

from collections.abc import Collection, Sequence

from antiphon_server.memory.index import Document, DocumentId, Hit, Index, PartitionKey, Query

HERE = PartitionKey("conversations/conv_here")
THERE = PartitionKey("conversations/conv_there")
MINUTE_US = 60_000_000


def message(number: int, text: str, speaker: str = "Mara", kind: str = "message") -> Document:
    """A document that was said in that minute since 1970."""
    known = f"users/{speaker.lower()}"
    return Document(DocumentId(f"m{number}"), text, speaker, known, number * MINUTE_US, kind)


def messages(*texts: str) -> list[Document]:
    """One after another, by two people in turn."""
    return [message(at, text, ("Mara", "Ines")[at % 2]) for at, text in enumerate(texts)]


def index_of(*texts: str) -> Index:
    """An index without a model, with these in one partition."""
    index = Index()
    index.extend(HERE, messages(*texts))
    return index


def found(
    index: Index, query: Query | str, readable: Collection[PartitionKey] = (HERE,)
) -> list[str]:
    """The ids of what is found, best first."""
    return [str(hit.document_id) for hit in hits(index, query, readable)]


def hits(
    index: Index, query: Query | str, readable: Collection[PartitionKey] = (HERE,)
) -> Sequence[Hit]:
    """What is found, best first."""
    return index.search(Query(query) if isinstance(query, str) else query, readable)
