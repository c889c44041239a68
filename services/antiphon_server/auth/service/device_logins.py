"""Signing in a device that has no browser or keyboard, from elsewhere (RFC 8628)."""

import hmac
from collections.abc import Callable
from dataclasses import dataclass, field

from antiphon_server.auth.model import SECOND, LoginMethod, Origin, SignedIn
from antiphon_server.auth.model.device_logins import (
    INTERVAL,
    LIFE,
    Answer,
    DeviceLogin,
    asked,
)
from antiphon_server.auth.ports import Clock, ServerSecret
from antiphon_server.auth.ports.device_logins import DeviceLoginStore
from antiphon_server.auth.ports.security_events import unrecorded
from antiphon_server.auth.service.clock import micros
from antiphon_server.auth.service.key_format import hash_of, new_secret, well_formed
from antiphon_server.auth.service.login import admit
from antiphon_server.auth.service.sessions import Device, Sessions
from antiphon_server.auth.service.user_codes import new_user_code, read_user_code
from antiphon_server.auth.service.users import Users, printable
from antiphon_server.runtime.errors import DomainError, Reason

PREFIX = "antd_"
MOST = 1_000
MOST_OF_ADDRESS = 20
RETRY_AFTER = 60.0  # seconds; some of them have expired by then
Rule = Callable[[DeviceLogin], tuple[DeviceLogin, tuple[DeviceLogin, Answer]]]


@dataclass(frozen=True, slots=True)
class Started:
    """What a device needs: its secret, what it shows, and how it asks. Microseconds."""

    device_code: str = field(repr=False)
    user_code: str = field(repr=False)
    interval: int
    expire_time: int


class UserCodes:
    """Hashes of user codes, keyed: they are few enough to be tried one by one."""

    def __init__(self, secret: ServerSecret) -> None:
        self._key = secret.derive("user codes of devices")

    def hash(self, typed: str) -> bytes | None:
        """What stands for the code; None if it is none."""
        code = read_user_code(typed)
        return hmac.digest(self._key, code.encode(), "sha256") if code else None


class DeviceLogins:
    """Begins logins of devices, and answers the devices."""

    def __init__(
        self,
        store: DeviceLoginStore,
        codes: UserCodes,
        users: Users,
        sessions: Sessions,
        clock: Clock,
    ) -> None:
        self._store = store
        self._codes = codes
        self._users = users
        self._sessions = sessions
        self._now = micros(clock)

    async def start(self, device: str, address: str) -> Started:
        """Codes for a device at ``address``. Raises DomainError OVERLOADED if too many wait there.

        Elsewhere it is one of theirs that is forgotten: strangers can't shut others out.
        """
        now, device_code, user_code = self._now(), new_secret(PREFIX), new_user_code()
        user_hash = self._codes.hash(user_code)
        assert user_hash is not None
        login = DeviceLogin(
            hash_of(device_code), user_hash, printable(device), address, now, now + LIFE
        )
        if not await self._store.add(login, MOST, MOST_OF_ADDRESS):
            raise DomainError(Reason.OVERLOADED, resource="devices", retry_after=RETRY_AFTER)
        return Started(device_code, user_code, INTERVAL, login.expire_time)

    async def claim(self, device_code: str) -> SignedIn:
        """A session for a device that was let in, once: as whoever let it in, from its own place.

        The same code again within ``GRACE`` gets the same one, as long as it was not refreshed:
        so a lost answer costs nothing. Raises DomainError AUTHORIZATION_PENDING, SLOW_DOWN,
        LOGIN_DENIED, LOGIN_EXPIRED, USER_DISABLED.
        """
        if not well_formed(device_code, PREFIX):
            raise DomainError(Reason.LOGIN_EXPIRED)
        login, answer = await self._asked(device_code)
        if answer is Answer.APPROVED:
            signed_in = await self._open(login, device_code)
            if signed_in is not None:
                return signed_in
            login, answer = await self._asked(device_code)  # perhaps it asked twice at once
        if answer is Answer.AGAIN and login.opened is not None:
            return await self._sessions.reopened(login.opened, device_code)
        raise _refusal(login, answer)

    async def _asked(self, device_code: str) -> tuple[DeviceLogin, Answer]:
        rule = _asking(self._now())
        found: tuple[DeviceLogin, Answer] | None
        found = await self._store.change(hash_of(device_code), rule, unrecorded)
        if found is None:
            raise DomainError(Reason.LOGIN_EXPIRED)
        return found

    async def _open(self, login: DeviceLogin, device_code: str) -> SignedIn | None:
        assert login.user_id is not None
        user = await self._users.get(login.user_id)
        admit(user)
        if user.password_version != login.password_version:  # since then all sessions were ended
            return None
        origin = Origin(LoginMethod.DEVICE_CODE, login.device, login.address)
        device = Device(login.device_hash, device_code)
        try:
            return await self._sessions.open(user, origin, sponsor=login.session_id, device=device)
        except DomainError as error:
            if error.reason is Reason.CREDENTIALS_INVALID:
                return None
            raise


def _asking(now: int) -> Rule:
    def rule(login: DeviceLogin) -> tuple[DeviceLogin, tuple[DeviceLogin, Answer]]:
        after, answer = asked(login, now)
        return after, (after, answer)

    return rule


def _refusal(login: DeviceLogin, answer: Answer) -> DomainError:
    wait = login.interval / SECOND
    match answer:
        case Answer.PENDING:
            return DomainError(Reason.AUTHORIZATION_PENDING, retry_after=wait)
        case Answer.TOO_SOON:
            return DomainError(Reason.SLOW_DOWN, retry_after=wait)
        case Answer.DENIED:
            return DomainError(Reason.LOGIN_DENIED)
        case Answer.APPROVED | Answer.AGAIN | Answer.OVER:
            return DomainError(Reason.LOGIN_EXPIRED)
