"""Where signing keys are kept."""

from typing import Protocol

from antiphon_server.auth.model import Rotation, StoredSigningKey
from antiphon_server.auth.model.requests import Answer
from antiphon_server.auth.ports.security_events import Records


class SigningKeyStore(Protocol):
    """The keys that access tokens are signed with."""

    async def rotate(
        self,
        fresh: StoredSigningKey,
        when: int,
        now: int,
        records: Records[Rotation],
        unless_since: int | None = None,
        answer: Answer | None = None,
    ) -> bool:
        """Store a new key, and let all others die at ``when`` unless they die before.

        Those that are dead by ``now`` are forgotten. With ``unless_since`` nothing happens, and
        False is returned, if a key was made after that: of several processes that rotate at
        once, one does. It takes a position among the ends of sessions, so that whoever looks for
        those learns of it.
        """
        ...

    async def list_valid(self, now: int) -> list[StoredSigningKey]:
        """The keys that are not retired, the oldest first. Retired ones are deleted in time."""
        ...
