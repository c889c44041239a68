"""New signing keys, by command and by schedule."""

from collections.abc import Coroutine
from typing import Any, TypeVar

from antiphon_server.auth.model import Request
from antiphon_server.auth.ports.messenger import RevocationMessenger
from antiphon_server.auth.service.signing_keys import SigningKeys
from antiphon_server.runtime.concurrency.completion import Completion
from antiphon_server.runtime.concurrency.tasks import every

T = TypeVar("T")
CHECK_EVERY_S = 600.0


class KeyRotation:
    """Rotates the keys, and wakes those who have to know."""

    def __init__(
        self, keys: SigningKeys, completion: Completion, messenger: RevocationMessenger
    ) -> None:
        self._keys = keys
        self._completion = completion
        self._messenger = messenger

    async def rotate(self, *, compromised: bool, request: Request | None = None) -> str:
        """See :meth:`SigningKeys.rotate`; returns when every process signs with the new key."""
        kid = await self._to_its_end(self._keys.rotate(compromised=compromised, request=request))
        if not compromised:
            await self._keys.settled()
        return kid

    async def run(self) -> None:
        """Rotate when it is due, until cancelled; after a long downtime at once."""
        await every(CHECK_EVERY_S, self.rotate_if_due)

    async def rotate_if_due(self) -> None:
        """See :meth:`SigningKeys.rotate_if_due`."""
        await self._to_its_end(self._keys.rotate_if_due())

    async def _to_its_end(self, rotating: Coroutine[Any, Any, T]) -> T:
        return await self._completion.run(self._then_publish(rotating))

    async def _then_publish(self, rotating: Coroutine[Any, Any, T]) -> T:
        try:
            return await rotating
        finally:  # though it could not be read here, or nothing was due: that costs them a look
            self._messenger.publish()
