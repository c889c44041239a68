"""Where password resets are kept."""

from typing import Protocol

from antiphon_server.auth.model.password_resets import PasswordReset
from antiphon_server.auth.model.requests import Answer
from antiphon_server.auth.ports.security_events import Records


class PasswordResetStore(Protocol):
    """The newest reset of each user, found by the hash of its token."""

    async def put(
        self, reset: PasswordReset, records: Records[PasswordReset], answer: Answer | None = None
    ) -> None:
        """Store the reset in the place of the user's earlier one.

        Raises Repeated, DomainError REQUEST_ID_REUSED.
        """
        ...

    async def find(self, token_hash: bytes) -> PasswordReset | None:
        """The reset whose token has that hash; expired ones may be there or not."""
        ...
