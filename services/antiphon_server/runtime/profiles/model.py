"""What a user wants to be known by: everywhere, or in a workspace."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from antiphon_server.runtime.access.principal import UserId

FIELDS = ("locale", "time_zone", "call_name", "preferences", "fields")
"""What users set."""
NONE = "none"
"""The etag of what is not there."""


@dataclass(frozen=True, slots=True)
class Profile:
    """What is set, as ``Profile`` of the contract says; ``update_us`` is 0 where nothing is.

    ``workspace_id`` is empty for what holds everywhere.
    """

    user_id: UserId
    workspace_id: str = ""
    locale: str = ""
    time_zone: str = ""
    call_name: str = ""
    preferences: tuple[str, ...] = ()
    fields: Mapping[str, str] = field(default_factory=dict)
    etag: str = NONE
    update_us: int = 0

    @property
    def says_nothing(self) -> bool:
        """Whether nothing is set."""
        return not any(getattr(self, name) for name in FIELDS)

    def under(self, other: "Profile") -> "Profile":
        """What holds where ``other`` stands in front of this: of fields, each key by itself."""
        values: dict[str, Any] = {
            name: getattr(other, name) or getattr(self, name) for name in FIELDS
        }
        values["fields"] = {**self.fields, **other.fields}
        return replace(other, **values, etag="", update_us=0)


def effective(everywhere: Profile, there: Profile) -> Profile:
    """What holds, of what is set everywhere and in a place; which may be the same."""
    return everywhere.under(there)


class Profiles(Protocol):
    """Knows what users want to be known by, as it was some seconds ago at most."""

    async def of(self, user_id: UserId, workspace_id: str) -> Profile:
        """What holds for a user in a workspace; an empty one where that can't be told now."""
        ...

    async def asked(self, user_id: UserId, workspace_id: str) -> Profile:
        """The same. Raises DomainError where that can't be told now."""
        ...


def user_of(actor: str) -> UserId | None:
    """The user whom events call so; None for services and turns."""
    kind, _, user_id = actor.partition("/")
    return UserId(user_id) if kind == "users" and user_id else None
