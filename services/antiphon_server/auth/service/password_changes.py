"""New passwords in the place of old ones."""

from collections.abc import Callable
from dataclasses import replace
from typing import NoReturn

from antiphon_server.auth.model import LoginMethod, User
from antiphon_server.auth.model.revocations import Ended
from antiphon_server.auth.model.security_events import (
    PasswordChanged,
    RevocationCause,
    SecurityEvent,
    SignInFailure,
)
from antiphon_server.auth.model.user_changes import UserChange
from antiphon_server.auth.ports import Clock, UserStore
from antiphon_server.auth.ports.security_events import Recorder
from antiphon_server.auth.service.api_keys import revoked
from antiphon_server.auth.service.attempts import Attempts
from antiphon_server.auth.service.clock import micros
from antiphon_server.auth.service.endings import Endings
from antiphon_server.auth.service.login import admit
from antiphon_server.auth.service.passwords import Passwords
from antiphon_server.auth.service.sign_ins import SignIns
from antiphon_server.auth.service.users import Users
from antiphon_server.runtime.access.principal import Principal, SessionId, UserId
from antiphon_server.runtime.concurrency.completion import Completion
from antiphon_server.runtime.errors import DomainError, Reason


class NewPasswords:
    """Stores new passwords, and ends what old ones opened."""

    def __init__(
        self,
        store: UserStore,
        endings: Endings,
        completion: Completion,
        events: Recorder,
        clock: Clock,
    ) -> None:
        self._store = store
        self._endings = endings
        self._completion = completion
        self._events = events
        self._now = micros(clock)

    async def put(
        self,
        user_id: UserId,
        version: int,
        hashed: str,
        event: SecurityEvent,
        kept: SessionId,
        *,
        api_keys: bool = False,
    ) -> None:
        """Replace the password and end the user's sessions but for ``kept``.

        With ``api_keys`` these are revoked, too. Returns when their tokens no longer work.
        Raises DomainError CREDENTIALS_INVALID, with nothing changed, if the user's password is
        no longer of that version, and USER_DISABLED.
        """
        rule = _rule(version, hashed)
        await self._completion.run(self._put(user_id, rule, event, kept, api_keys=api_keys))

    async def _put(
        self,
        user_id: UserId,
        rule: Callable[[User], User],
        event: SecurityEvent,
        kept: SessionId,
        *,
        api_keys: bool,
    ) -> None:
        now = self._now()

        def events(change: UserChange) -> list[SecurityEvent]:
            ended = Ended(change.ended, change.ended_keys)
            return [event, *revoked(user_id, ended, RevocationCause.PASSWORD_CHANGED)]

        with self._events.recording(events) as records:
            change = await self._store.change(user_id, rule, now, records, kept, api_keys=api_keys)
        if change is None:
            raise DomainError(Reason.CREDENTIALS_INVALID)
        await self._endings.announce(change.ended)


class PasswordChanges:
    """Lets people change their own passwords."""

    def __init__(
        self,
        users: Users,
        passwords: Passwords,
        attempts: Attempts,
        new: NewPasswords,
        sign_ins: SignIns,
    ) -> None:
        self._users = users
        self._passwords = passwords
        self._attempts = attempts
        self._new = new
        self._sign_ins = sign_ins

    async def change(self, caller: Principal, old: str, new: str, address: str) -> None:
        """Replace the caller's password and end their other sessions.

        A wrong old password is counted as a guess of somebody at ``address``, and costs one
        evaluation. Raises DomainError CREDENTIALS_INVALID, TOO_MANY_ATTEMPTS, OVERLOADED,
        INVALID_ARGUMENT, PASSWORD_BREACHED; NOT_FOUND for a service.
        """
        user = await self._users.get(caller.user_id)
        await self._passwords.accept_for(user, new)
        with self._passwords.slot():
            await self._attempts.spend(user.name, address)
            if not await self._passwords.check(old, user.password_hash):
                await self._wrong(user)
            await self._attempts.succeed(user.name, address)
            hashed = await self._passwords.hash(new)
        event = SecurityEvent(PasswordChanged(), user.user_id)
        await self._new.put(user.user_id, user.password_version, hashed, event, caller.session_id)

    async def _wrong(self, user: User) -> NoReturn:
        failure = SignInFailure.WRONG_SECRET
        method = LoginMethod.PASSWORD
        await self._sign_ins.failed(method, failure, name=user.name, user_id=user.user_id)
        raise DomainError(Reason.CREDENTIALS_INVALID)


def _rule(version: int, hashed: str) -> Callable[[User], User]:
    def rule(user: User) -> User:
        if user.password_version != version:
            raise DomainError(Reason.CREDENTIALS_INVALID)
        admit(user)
        return replace(user, password_hash=hashed, password_version=version + 1)

    return rule
