"""Where profiles are kept."""

from collections.abc import Callable, Collection, Sequence
from typing import Protocol

from antiphon_server.auth.model.profiles import ProfileChange
from antiphon_server.auth.ports.security_events import Records
from antiphon_server.runtime.access.principal import UserId
from antiphon_server.runtime.profiles.model import Profile


class ProfileStore(Protocol):
    """Profiles, of each user one for everywhere and one for each of some workspaces."""

    async def of(
        self, user_ids: Collection[UserId], workspace_ids: Collection[str] | None
    ) -> Sequence[Profile]:
        """What is set in those places ("" is everywhere), or in all; by user and place."""
        ...

    async def change(
        self,
        user_id: UserId,
        workspace_id: str,
        rule: Callable[[Profile], Profile],
        records: Records[ProfileChange],
    ) -> ProfileChange | None:
        """Replace one by what ``rule`` makes of it, in one transaction.

        One that says nothing is not kept. Concurrent changes of a user happen one after another.
        None if there is no such user. Raises DomainError LIMIT_EXCEEDED, and what ``rule`` raises.
        """
        ...

    async def delete_all(
        self, user_id: UserId, records: Records[Sequence[Profile]]
    ) -> Sequence[Profile] | None:
        """Take away all of a user's; what they were. None if there is no such user."""
        ...

    async def delete_in(
        self, workspace_id: str, records: Records[Sequence[Profile]]
    ) -> Sequence[Profile]:
        """Take away what anybody has set in a workspace; what it was."""
        ...
