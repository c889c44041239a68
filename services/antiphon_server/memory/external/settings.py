"""Which memory of others an installation has, and how long it may take."""

from collections.abc import Mapping
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

MOST_MS = 5_000


class Mem0Tools(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the operations of a mem0-like service are called in its OpenAPI document.

    They are those that FastAPI gives to mem0's own server.
    """

    add: str = "add_memory_memories_post"
    list: str = "get_all_memories_memories_get"
    delete: str = "delete_memory_memories__memory_id__delete"
    search: str = "search_memories_search_post"


class ExternalMemorySettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """It is called by ``connection``, one of the settings' own, and speaks ``kind``.

    A Recall waits for it for ``deadline_ms`` at most. ``service`` is what the contract's service is
    called by the connection, ``tools`` what the operations of mem0 are.
    """

    connection: Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9_-]{0,31}$")]
    kind: Literal["grpc", "mem0"] = "grpc"
    deadline_ms: Annotated[int, Meta(ge=10, le=MOST_MS)] = 300
    service: str = "ExternalMemoryService"
    tools: Mem0Tools = Mem0Tools()

    @property
    def deadline_s(self) -> float:
        """So many seconds a Recall waits for it."""
        return self.deadline_ms / 1000

    def check(self, connections: Mapping[str, bool]) -> None:
        """Raises ValueError if none of them is it, or it is not private: it knows of all."""
        if self.connection not in connections:
            raise ValueError(
                f"external_memory: connections has none that is called {self.connection}"
            )
        if not connections[self.connection]:
            raise ValueError(
                f"external_memory: the connection {self.connection} has to be private (`"
                '"private": true`), or members of any workspace could ask it for what all remember'
            )
