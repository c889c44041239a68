"""The secret that all processes of an installation share."""

from typing import Protocol


class ServerSecret(Protocol):
    """The installation's own secret, and what is made of it."""

    @property
    def is_new(self) -> bool:
        """Whether it was made at this start: what an earlier one sealed is lost."""
        ...

    def derive(self, purpose: str) -> bytes:
        """32 bytes for one purpose, always the same."""
        ...

    def seal(self, plain: bytes, purpose: str) -> bytes:
        """Encrypt and authenticate."""
        ...

    def open(self, sealed: bytes, purpose: str) -> bytes | None:
        """Decrypt; None if it was not sealed with this secret and purpose."""
        ...
