"""Logins of devices in memory."""

from collections.abc import Callable
from typing import TypeVar

from antiphon_server.auth.model.device_logins import DeviceLogin, claimed, crowding, over
from antiphon_server.auth.ports.security_events import Records
from antiphon_server.runtime.access.principal import SessionId
from tests.fakes.memory.auth.security_events import MemorySecurityEvents

T = TypeVar("T")


class MemoryDeviceLogins:
    """A :class:`~antiphon_server.auth.ports.device_logins.DeviceLoginStore` in memory."""

    def __init__(self, trail: MemorySecurityEvents) -> None:
        self._trail = trail
        self._logins: dict[bytes, DeviceLogin] = {}

    async def add(self, login: DeviceLogin, most: int, most_of_address: int) -> bool:
        """See :meth:`DeviceLoginStore.add`."""
        waiting = [one for one in self._logins.values() if not over(one, login.create_time)]
        self._logins = {one.device_hash: one for one in waiting}
        of_address = [one for one in waiting if one.address == login.address]
        if len(of_address) >= most_of_address:
            return False
        if len(waiting) >= most:
            forgotten = crowding(waiting)
            if forgotten is None:
                return False
            del self._logins[forgotten.device_hash]
        self._logins[login.device_hash] = login
        return True

    async def find(self, user_hash: bytes) -> DeviceLogin | None:
        """See :meth:`DeviceLoginStore.find`."""
        logins = self._logins.values()
        return next((login for login in logins if login.user_hash == user_hash), None)

    def claimed(self, device_hash: bytes, session_id: SessionId, now: int) -> DeviceLogin | None:
        """The login with that session; None if the device is to have none."""
        login = self._logins.get(device_hash)
        return login and claimed(login, session_id, now)

    def store(self, login: DeviceLogin) -> None:
        """Keep a login as it is now."""
        self._logins[login.device_hash] = login

    async def change(
        self,
        device_hash: bytes,
        rule: Callable[[DeviceLogin], tuple[DeviceLogin, T]],
        records: Records[T],
    ) -> T | None:
        """See :meth:`DeviceLoginStore.change`."""
        login = self._logins.get(device_hash)
        if login is None:
            return None
        after, outcome = rule(login)
        self._trail.record(records, outcome)
        self.store(after)
        return outcome
