"""Resets: an operator hands over a token, with which a person sets a password once."""

from antiphon_server.auth.model import Request, UserKind
from antiphon_server.auth.model.password_resets import LIFE, PasswordReset
from antiphon_server.auth.model.requests import Answer, Repeated, answer_to
from antiphon_server.auth.model.security_events import (
    PasswordResetCreated,
    PasswordResetUsed,
    SecurityEvent,
)
from antiphon_server.auth.ports import Clock
from antiphon_server.auth.ports.password_resets import PasswordResetStore
from antiphon_server.auth.ports.security_events import Recorder
from antiphon_server.auth.service.clock import micros
from antiphon_server.auth.service.key_format import hash_of, well_formed
from antiphon_server.auth.service.password_changes import NewPasswords
from antiphon_server.auth.service.passwords import Passwords
from antiphon_server.auth.service.shown_once import SALT, ShownOnce
from antiphon_server.auth.service.users import Users
from antiphon_server.runtime.access.principal import SessionId, UserId
from antiphon_server.runtime.concurrency.completion import Completion
from antiphon_server.runtime.errors import DomainError, Reason, invalid

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
        shown_once: ShownOnce,
        clock: Clock,
    ) -> None:
        self._store = store
        self._users = users
        self._passwords = passwords
        self._new = new
        self._completion = completion
        self._events = events
        self._shown_once = shown_once
        self._now = micros(clock)

    async def create(
        self, user_id: UserId, *, api_keys: bool = False, request: Request | None = None
    ) -> tuple[str, int]:
        """A token for a person, in the place of an earlier one, and when it expires.

        With ``api_keys`` its use revokes the person's. Repeating the ``request`` gets the same
        token. Whether the caller may is checked before. Raises DomainError NOT_FOUND,
        INVALID_ARGUMENT for a program, REQUEST_ID_REUSED.
        """
        user = await self._users.get(user_id)
        if user.kind is UserKind.PROGRAM:
            raise invalid("user_id", "is a program's: programs have no password")
        salt, expire_time = self._shown_once.salt(), self._now() + LIFE
        token = self._shown_once.secret(PREFIX, salt)
        version = user.password_version
        reset = PasswordReset(user_id, hash_of(token), version, expire_time, api_keys)
        answer = answer_to(request, salt + str(expire_time).encode())
        try:
            await self._completion.run(self._put(reset, answer))
        except Repeated as again:
            salt, expires = again.response[:SALT], again.response[SALT:]
            return self._shown_once.secret(PREFIX, salt), int(expires)
        return token, expire_time

    async def use(self, token: str, password: str) -> None:
        """Set the password and end all sessions, perhaps keys; the token works no more.

        A password that is refused leaves the token as it was. Raises DomainError
        CREDENTIALS_INVALID, USER_DISABLED, INVALID_ARGUMENT, PASSWORD_BREACHED, OVERLOADED.
        """
        reset = await self._store.find(hash_of(token)) if well_formed(token, PREFIX) else None
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

    async def _put(self, reset: PasswordReset, answer: Answer | None) -> None:
        created = PasswordResetCreated(expire_time=reset.expire_time)
        event = SecurityEvent(created, reset.user_id)
        with self._events.recording(lambda _: [event]) as records:
            await self._store.put(reset, records, answer)
