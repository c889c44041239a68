"""How processes wake each other up."""

from typing import Protocol


class RevocationMessenger(Protocol):
    """Tells other processes to look into the store now. It says nothing else.

    Messages may get lost, come late or be made up: the store is the truth, and is looked into
    now and then anyway.
    """

    @property
    def connected(self) -> bool:
        """Whether messages of others come here now, as far as can be told."""
        ...

    def publish(self) -> None:
        """Something has ended; returns at once."""
        ...

    async def wait(self, timeout: float) -> None:
        """Return when somebody has told since the last call, or after ``timeout`` seconds."""
        ...

    async def close(self) -> None:
        """Stop what runs."""
        ...
