"""What integration's way to the audit trail needs beside that of all services."""

from typing import Protocol

from antiphon_server.runtime.trail.ports import Outbox


class IntegrationOutbox(Outbox, Protocol):
    """What waits to be told."""

    async def authorized(self, workspace_id: str, connection: str) -> None:
        """Store that the caller consented to a connection, which several writes are made of."""
        ...
