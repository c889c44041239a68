"""Changes of what users want to be known by."""

from dataclasses import dataclass

from antiphon_server.runtime.profiles.model import FIELDS, Profile


@dataclass(frozen=True, slots=True)
class ProfileChange:
    """A profile before and after a change."""

    before: Profile
    after: Profile

    @property
    def changed(self) -> tuple[str, ...]:
        """The names of the fields that are others now."""
        return tuple(it for it in FIELDS if getattr(self.before, it) != getattr(self.after, it))
