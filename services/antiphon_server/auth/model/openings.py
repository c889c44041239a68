"""How a session is opened, and what comes of it."""

from dataclasses import dataclass

from antiphon_server.auth.model import Session
from antiphon_server.runtime.access.principal import SessionId

MOST_PLACES = 100
"""So many places of an account or a key are remembered."""


@dataclass(frozen=True, slots=True)
class Opening:
    """A new session, and what must hold for it to be stored.

    ``most`` live ones may the key have that opened it, or the user of those that no key opened.
    ``password_version`` is the one that was proved, if any; ``sponsor`` the session that
    vouches for it, if any; ``device_hash`` the login of a device that gets the session, and
    no other. ``address`` is where its owner is, empty if that is not known.
    """

    session: Session
    most: int
    address: str = ""
    password_version: int | None = None
    sponsor: SessionId | None = None
    device_hash: bytes | None = None

    @property
    def subject(self) -> str:
        """Whose place it is: the key's that opened it, or the user's."""
        key_id = self.session.api_key_id
        return f"users/{self.session.user_id}" if key_id is None else f"api_keys/{key_id}"


@dataclass(frozen=True, slots=True)
class Opened:
    """What came of it: the sessions that it ended, and whether its subject never was there."""

    ended: list[Session]
    new_place: bool
