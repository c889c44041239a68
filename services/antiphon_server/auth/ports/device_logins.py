"""Where the logins of devices are kept."""

from collections.abc import Callable
from typing import Protocol, TypeVar

from antiphon_server.auth.model.device_logins import DeviceLogin
from antiphon_server.auth.ports.security_events import Records

T = TypeVar("T")


class DeviceLoginStore(Protocol):
    """Devices that ask to be signed in, found by the hashes of their codes."""

    async def add(self, login: DeviceLogin, most: int, most_of_address: int) -> bool:
        """Store the login; False if there are ``most_of_address`` others of its address.

        Those that are :func:`over` are deleted. If ``most`` others live, :func:`crowding` says
        which of them is deleted too; False if none may be.
        """
        ...

    async def find(self, user_hash: bytes) -> DeviceLogin | None:
        """The login whose user code has that hash; expired ones may be there or not."""
        ...

    async def change(
        self,
        device_hash: bytes,
        rule: Callable[[DeviceLogin], tuple[DeviceLogin, T]],
        records: Records[T],
    ) -> T | None:
        """Replace the login by what ``rule`` makes of it, in one transaction.

        Concurrent changes of one happen one after another. Returns the rule's second result;
        None if there is no such login.
        """
        ...
