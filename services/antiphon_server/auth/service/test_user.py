"""The user ``test`` of development: an account to try things out with, on this machine alone."""

import secrets
from dataclasses import replace

from antiphon_server.auth.model import User
from antiphon_server.auth.model.security_events import (
    PasswordChanged,
    RevocationCause,
    SecurityEvent,
)
from antiphon_server.auth.model.user_changes import UserChange
from antiphon_server.auth.ports import Clock, UserStore
from antiphon_server.auth.ports.security_events import Recorder
from antiphon_server.auth.service.clock import micros
from antiphon_server.auth.service.endings import Endings, ends
from antiphon_server.auth.service.passwords import Passwords
from antiphon_server.auth.service.user_updates import updated
from antiphon_server.auth.service.users import created
from antiphon_server.runtime.access.principal import UserId

NAME = "test"
# No other account gets this id, so the account is known again in any copy of the data.
USER_ID = UserId("user_00000000000000000000000000")
_PASSWORD_BYTES = 15


class TestUser:
    """Lets the test user in with a new password at each start, or shuts it out.

    Whether strangers may be about, and so which of both, is the caller's to know.
    """

    __test__ = False

    def __init__(
        self,
        store: UserStore,
        passwords: Passwords,
        endings: Endings,
        events: Recorder,
        clock: Clock,
    ) -> None:
        self._store = store
        self._passwords = passwords
        self._endings = endings
        self._events = events
        self._now = micros(clock)

    async def admit(self) -> str:
        """The password that works from now on, and no other; sessions of before are over.

        Raises DomainError ALREADY_EXISTS if somebody's account has the name.
        """
        password = secrets.token_urlsafe(_PASSWORD_BYTES)
        hashed = await self._passwords.hash(password)
        if await self._store.get(USER_ID) is None:
            user = User(USER_ID, NAME, "Test user", False, None, self._now())
            with self._events.recording(created) as records:
                await self._store.add(user, None, records)
        await self._replace(hashed, disabled=False)
        return password

    async def shut_out(self) -> bool:
        """Disable the account of an earlier start; whether there was one to disable."""
        user = await self._store.get(USER_ID)
        if user is None or user.disabled:
            return False
        await self._replace(None, disabled=True)
        return True

    async def _replace(self, password_hash: str | None, *, disabled: bool) -> None:
        def rule(user: User) -> User:
            return replace(
                user,
                password_hash=password_hash,
                password_version=user.password_version + 1,
                operator=False,
                disabled=disabled,
            )

        with self._events.recording(_events) as records:
            change = await self._store.change(USER_ID, rule, self._now(), records)
        await self._endings.announce(change.ended if change else ())


def _events(change: UserChange) -> list[SecurityEvent]:
    if change.after.disabled:
        return [*updated(change), *ends(change.ended, RevocationCause.USER_DISABLED)]
    new = SecurityEvent(PasswordChanged(), change.after.user_id)
    return [*updated(change), new, *ends(change.ended, RevocationCause.PASSWORD_CHANGED)]
