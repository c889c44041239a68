"""What users want to be known by, as a test has it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from antiphon_server.runtime.access.principal import UserId
from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.profiles.model import Profile


@dataclass
class FixedProfiles:
    """A :class:`~antiphon_server.runtime.profiles.model.Profiles`; it notes who was asked for.

    While ``is_away`` nothing can be told.
    """

    known: Mapping[str, Profile] = field(default_factory=dict)
    asked_for: list[tuple[str, str]] = field(default_factory=list)
    is_away: bool = False

    async def of(self, user_id: UserId, workspace_id: str) -> Profile:
        return Profile(user_id) if self.is_away else await self.asked(user_id, workspace_id)

    async def asked(self, user_id: UserId, workspace_id: str) -> Profile:
        if self.is_away:
            raise DomainError(Reason.SERVICE_UNAVAILABLE)
        self.asked_for.append((user_id, workspace_id))
        return self.known.get(user_id, Profile(user_id))
