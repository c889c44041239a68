"""What secrets need, and what connections need of them."""

from collections.abc import Sequence
from typing import Protocol

from antiphon_server.integration.secrets.model import Secret, SecretName


class Secrets(Protocol):
    """The values that connections sign their calls with."""

    async def value(self, workspace_id: str, name: SecretName) -> str:
        """A secret's value. Raises DomainError NOT_FOUND."""
        ...


class SecretStore(Secrets, Protocol):
    """Keeps values, each sealed by a key of its own, which a key of the installation wraps."""

    async def put(self, workspace_id: str, name: SecretName, value: str) -> Secret:
        """Store a value in place of one that is there. Raises DomainError LIMIT_EXCEEDED."""
        ...

    async def listed(self, workspace_id: str, after: str, limit: int) -> Sequence[Secret]:
        """The secrets whose names come behind ``after``, in order."""
        ...

    async def delete(self, workspace_id: str, name: SecretName) -> None:
        """Remove one, if it is there."""
        ...

    async def rotate(self) -> int:
        """Wrap every key anew by a new one of the installation, while secrets are read and stored.

        Returns how many were wrapped. What fails in between leaves all readable, and is made
        good by the next.
        """
        ...
