"""Deciding about a device that asks to be signed in."""

from collections.abc import Callable
from dataclasses import replace

from antiphon_server.auth.model import LoginMethod, User
from antiphon_server.auth.model.device_logins import DeviceLogin, DeviceLoginState
from antiphon_server.auth.model.security_events import (
    DeviceLoginDecided,
    SecurityEvent,
    SignInFailure,
)
from antiphon_server.auth.ports import Clock
from antiphon_server.auth.ports.device_logins import DeviceLoginStore
from antiphon_server.auth.ports.security_events import Recorder
from antiphon_server.auth.service.clock import micros
from antiphon_server.auth.service.device_guesses import DeviceGuesses
from antiphon_server.auth.service.device_logins import UserCodes
from antiphon_server.auth.service.sessions import Sessions
from antiphon_server.auth.service.sign_ins import SignIns
from antiphon_server.auth.service.users import Users
from antiphon_server.runtime.access.principal import Principal, SessionId
from antiphon_server.runtime.concurrency.completion import Completion
from antiphon_server.runtime.errors import DomainError, Reason

Rule = Callable[[DeviceLogin], tuple[DeviceLogin, bool]]


class DeviceDecisions:
    """Shows devices to people, who let them in as themselves or refuse them."""

    def __init__(
        self,
        store: DeviceLoginStore,
        codes: UserCodes,
        guesses: DeviceGuesses,
        users: Users,
        sessions: Sessions,
        sign_ins: SignIns,
        events: Recorder,
        completion: Completion,
        clock: Clock,
    ) -> None:
        self._store = store
        self._codes = codes
        self._guesses = guesses
        self._users = users
        self._sessions = sessions
        self._sign_ins = sign_ins
        self._events = events
        self._completion = completion
        self._now = micros(clock)

    async def show(self, caller: Principal, typed: str) -> DeviceLogin:
        """The device that shows the code. A wrong code is counted as a guess.

        Raises DomainError LOGIN_EXPIRED, TOO_MANY_ATTEMPTS.
        """
        shared = await self._guesses.spend(caller.user_id)
        user_hash = self._codes.hash(typed)
        login = await self._store.find(user_hash) if user_hash else None
        if login is None or not login.undecided(self._now()):
            method, failure = LoginMethod.DEVICE_CODE, SignInFailure.UNKNOWN
            await self._sign_ins.failed(method, failure, user_id=caller.user_id)
            raise DomainError(Reason.LOGIN_EXPIRED)
        await self._guesses.succeed(caller.user_id, shared)
        return login

    async def decide(self, caller: Principal, typed: str, approve: bool) -> None:
        """Sign the device in as the caller, or refuse it; who comes first decides.

        Until the device has its session, it is let in only while the calling session lives.
        Only a session in which a person signed in may let a device in: what a key opens ends
        with the key, and the device's session would not. Raises DomainError LOGIN_EXPIRED,
        TOO_MANY_ATTEMPTS, PERMISSION_DENIED; NOT_FOUND for a service.
        """
        login = await self.show(caller, typed)
        user = await self._users.get(caller.user_id)
        session = await self._sessions.get(caller.session_id)
        if approve and (session.api_key_id is not None or caller.scopes is not None):
            raise DomainError(Reason.PERMISSION_DENIED, permission="ACCOUNT")
        rule = _deciding(self._now(), user if approve else None, caller.session_id)
        event = SecurityEvent(DeviceLoginDecided(approve, login.device), user.user_id)
        await self._completion.run(self._decide(login, rule, event))

    async def _decide(self, login: DeviceLogin, rule: Rule, event: SecurityEvent) -> None:
        with self._events.recording(lambda decided: [event] if decided else []) as records:
            decided = await self._store.change(login.device_hash, rule, records)
        if not decided:
            raise DomainError(Reason.LOGIN_EXPIRED)


def _deciding(now: int, owner: User | None, session_id: SessionId) -> Rule:
    def rule(login: DeviceLogin) -> tuple[DeviceLogin, bool]:
        if not login.undecided(now):
            return login, False
        if owner is None:
            return replace(login, state=DeviceLoginState.DENIED), True
        approved = replace(
            login,
            state=DeviceLoginState.APPROVED,
            user_id=owner.user_id,
            password_version=owner.password_version,
            session_id=session_id,
        )
        return approved, True

    return rule
