"""Resets: an operator hands over a token, with which a person sets a password once."""

import hashlib

from antiphon_server.auth.model import SECOND, UserKind
from antiphon_server.auth.model.password_resets import LIFE, PasswordReset
from antiphon_server.auth.model.security_events import (
    PasswordResetCreated,
    PasswordResetUsed,
    SecurityEvent,
)
from antiphon_server.auth.ports import Clock
from antiphon_server.auth.ports.password_resets import PasswordResetStore
from antiphon_server.auth.ports.security_events import Recorder
from antiphon_server.auth.service.completion import Completion
from antiphon_server.auth.service.key_format import new_secret, well_formed
from antiphon_server.auth.service.password_changes import NewPasswords
from antiphon_server.auth.service.passwords import Passwords
from antiphon_server.auth.service.users import Users
from antiphon_server.runtime.errors import DomainError, Reason, invalid
from antiphon_server.runtime.principal import SessionId, UserId

PREFIX = "antp_"
_NONE = SessionId("")


class PasswordResets:
    """Makes and takes reset tokens. Only their hashes are stored."""

    def __init__(
        self,
        store: PasswordResetStore,
        users: Users,
        passwords: Passwords,
        new: NewPasswords,
        completion: Completion,
        events: Recorder,
        clock: Clock,
    ) -> None:
        self._store = store
        self._users = users
        self._passwords = passwords
        self._new = new
        self._completion = completion
        self._events = events
        self._clock = clock

    async def create(self, user_id: UserId, *, api_keys: bool = False) -> tuple[str, int]:
        """A token for a person, in the place of an earlier one, and when it expires.

        With ``api_keys`` its use revokes the person's. Whether the caller may is checked before.
        Raises DomainError NOT_FOUND, INVALID_ARGUMENT for a program.
        """
        user = await self._users.get(user_id)
        if user.kind is UserKind.PROGRAM:
            raise invalid("user_id", "is a program's: programs have no password")
        token = new_secret(PREFIX)
        version, expire_time = user.password_version, self._now() + LIFE
        reset = PasswordReset(user_id, _hash(token), version, expire_time, api_keys)
        await self._completion.run(self._put(reset))
        return token, reset.expire_time

    async def use(self, token: str, password: str) -> None:
        """Set the password and end all sessions, perhaps keys; the token works no more.

        A password that is refused leaves the token as it was. Raises DomainError
        CREDENTIALS_INVALID, USER_DISABLED, INVALID_ARGUMENT, PASSWORD_BREACHED, OVERLOADED.
        """
        reset = await self._store.find(_hash(token)) if well_formed(token, PREFIX) else None
        if reset is None or reset.expire_time <= self._now():
            raise DomainError(Reason.CREDENTIALS_INVALID)
        user = await self._users.get(reset.user_id)
        if user.password_version != reset.password_version:
            raise DomainError(Reason.CREDENTIALS_INVALID)
        await self._passwords.accept_for(user, password)
        with self._passwords.slot():
            hashed = await self._passwords.hash(password)
        event = SecurityEvent(PasswordResetUsed(), user.user_id)
        version, keys = reset.password_version, reset.api_keys
        await self._new.put(user.user_id, version, hashed, event, _NONE, api_keys=keys)

    async def _put(self, reset: PasswordReset) -> None:
        created = PasswordResetCreated(expire_time=reset.expire_time)
        event = SecurityEvent(created, reset.user_id)
        with self._events.recording(lambda _: [event]) as records:
            await self._store.put(reset, records)

    def _now(self) -> int:
        return int(self._clock() * SECOND)


def _hash(token: str) -> bytes:
    """A plain digest is enough for 256 random bits."""
    return hashlib.sha256(token.encode()).digest()
