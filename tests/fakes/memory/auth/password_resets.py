"""Password resets in memory."""

from antiphon_server.auth.model.password_resets import PasswordReset
from antiphon_server.auth.model.requests import Answer
from antiphon_server.auth.ports.security_events import Records
from antiphon_server.runtime.access.principal import UserId
from tests.fakes.memory.auth.requests import MemoryRequests
from tests.fakes.memory.auth.security_events import MemorySecurityEvents


class MemoryPasswordResets:
    """A :class:`~antiphon_server.auth.ports.password_resets.PasswordResetStore` in memory."""

    def __init__(self, trail: MemorySecurityEvents, requests: MemoryRequests) -> None:
        self._trail = trail
        self._requests = requests
        self._resets: dict[UserId, PasswordReset] = {}

    async def put(
        self, reset: PasswordReset, records: Records[PasswordReset], answer: Answer | None = None
    ) -> None:
        """See :meth:`PasswordResetStore.put`."""
        self._requests.check(answer)
        self._trail.record(records, reset)
        self._resets[reset.user_id] = reset
        self._requests.remember(answer)

    async def find(self, token_hash: bytes) -> PasswordReset | None:
        """See :meth:`PasswordResetStore.find`."""
        resets = self._resets.values()
        return next((reset for reset in resets if reset.token_hash == token_hash), None)
