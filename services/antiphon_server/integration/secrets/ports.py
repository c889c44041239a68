"""What secrets need, and what connections need of them."""

from collections.abc import Sequence
from typing import Protocol

from antiphon_server.integration.secrets.model import Secret, SecretName


class Secrets(Protocol):
    """The values that connections sign their calls with."""

    async def value(self, workspace_id: str, name: SecretName) -> str:
        """A secret's value. Raises DomainError NOT_FOUND."""
        ...


class KeptSecrets(Protocol):
    """Values that the product itself keeps: each has a version, which grows when it changes.

    They stand beside those of workspaces, each in a ``place`` that is no workspace's id: no
    request can name it, so nobody stores, lists or removes them by hand.
    """

    async def read(self, place: str, name: SecretName) -> tuple[str, int] | None:
        """A value and its version, "" for one that does not open here; None if there is none."""
        ...

    async def replace(self, place: str, name: SecretName, value: str, seen: int) -> int | None:
        """Store a value if the version is the one that was ``seen``, 0 for none.

        Returns the new version; None if another was stored or removed meanwhile. Raises DomainError
        LIMIT_EXCEEDED.
        """
        ...

    async def take(self, place: str, name: SecretName) -> str | None:
        """Remove a value and return it, to one of all who ask at once."""
        ...

    async def prune(self, place: str, before: int) -> None:
        """Remove what was stored before that time, in microseconds since 1970."""
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
