"""Ranks documents for a query: words, who said them, when, and what they mean.

It is computing alone: no task, no store, no network. Everything but the types needs numpy, which a
server's start does not import: so `Index` is loaded when it is first asked for.
"""

import os
from typing import TYPE_CHECKING

from antiphon_server.memory.index.asking import asks_for_nothing
from antiphon_server.memory.index.model import (
    IMPORTANCE,
    Document,
    DocumentId,
    Hit,
    PartitionKey,
    Query,
)

if TYPE_CHECKING:
    from antiphon_server.memory.index.index import Index

__all__ = [
    "IMPORTANCE",
    "Document",
    "DocumentId",
    "Hit",
    "Index",
    "PartitionKey",
    "Query",
    "asks_for_nothing",
]


def __getattr__(name: str) -> object:
    """The index, loaded with numpy when it is first named."""
    if name == "Index":
        # A search takes milliseconds: a second thread of numpy's waits longer than it works.
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
        from antiphon_server.memory.index.index import Index

        return Index
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
