"""What entities need from outside."""

from collections.abc import Collection, Sequence
from typing import Protocol

from antiphon_server.memory.model import ConversationId, MessageId
from antiphon_server.memory.named import Entity, EntityType, Mention, Split


class EntityStore(Protocol):
    """Entities, their names and mentions. All methods raise DomainError if it can't be used."""

    async def get(self, scope: str, entity_id: str) -> Entity | None:
        """One as it is; of one that was merged what it is by itself."""
        ...

    async def list(
        self, scope: str, types: Collection[EntityType], before: str, limit: int
    ) -> Sequence[Entity]:
        """Those in use behind the id ``before``, the newest first; "" from the newest on."""
        ...

    async def search(
        self, scope: str, query: str, types: Collection[EntityType], limit: int
    ) -> Sequence[Entity]:
        """Those in use with a name that has the query in it, those of just that name first."""
        ...

    async def create(self, entity: Entity) -> tuple[Entity, bool]:
        """Make it, or join its aliases with what is there by its name; whether that was there.

        Raises DomainError ALREADY_EXISTS, LIMIT_EXCEEDED, CONVERSATION_ERASED, WORKSPACE_ERASED.
        """
        ...

    async def replace(self, entity: Entity, before: str) -> bool:
        """Correct name, aliases and type of one whose etag is ``before``; else change nothing.

        Raises DomainError ALREADY_EXISTS, LIMIT_EXCEEDED, CONVERSATION_ERASED, WORKSPACE_ERASED.
        """
        ...

    async def merge(
        self, scope: str, entity_id: str, other_id: str, actor: str, now_us: int
    ) -> Entity:
        """Let both be one. Raises DomainError NOT_FOUND, ENTITY_NOT_ACTIVE, LIMIT_EXCEEDED."""
        ...

    async def split(
        self, scope: str, entity_id: str, what: Split, seen: str, actor: str, now_us: int
    ) -> tuple[Entity, Entity]:
        """Take something from one of that etag ("": whatever it is): what is left, and the other.

        Raises DomainError NOT_FOUND, INVALID_ARGUMENT, ENTITY_NOT_ACTIVE, ETAG_MISMATCH,
        LIMIT_EXCEEDED.
        """
        ...

    async def delete(self, scope: str, entity_id: str, now_us: int) -> Entity | None:
        """Take away its names and mentions, and keep the rules from making it again.

        The audit trail is told. Returns what is left. Raises DomainError ENTITY_NOT_ACTIVE.
        """
        ...

    async def mentions(
        self, scope: str, entity_id: str, before: str, limit: int
    ) -> Sequence[Mention]:
        """Where it, and what was merged into it, is mentioned, behind that id; newest first."""
        ...

    async def forget_sources(
        self, conversation_id: ConversationId, message_ids: Collection[MessageId]
    ) -> None:
        """Take away mentions in these messages, and names that nothing else has told."""
        ...

    async def forget_scope(self, scope: str) -> None:
        """Take away all that is called anything in a scope."""
        ...

    async def scrub(self) -> None:
        """Return when what was taken away is in the database's files no more, as far as can be."""
        ...
