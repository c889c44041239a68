"""The installation's secrets."""

from typing import Protocol

from antiphon_server.runtime.access.server_secret import ServerSecret

__all__ = ["SecretFile", "ServerSecret"]


class SecretFile(Protocol):
    """One secret that only the owner of the process can read."""

    def read(self) -> str | None:
        """The secret; None if it is missing, unreadable or readable by others."""
        ...

    def write(self, secret: str) -> None:
        """Replace the secret, all or nothing."""
        ...
