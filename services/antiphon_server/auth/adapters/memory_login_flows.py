"""Begun logins in memory."""

from antiphon_server.auth.model.identities import LoginFlow, LoginId


class MemoryLoginFlows:
    """A :class:`~antiphon_server.auth.ports.identities.LoginFlowStore` in memory."""

    def __init__(self) -> None:
        self._flows: dict[LoginId, LoginFlow] = {}

    async def add(self, flow: LoginFlow, now: int, most: int) -> None:
        """See :meth:`LoginFlowStore.add`."""
        kept = [one for one in self._flows.values() if one.expire_time > now]
        kept.sort(key=lambda one: (one.expire_time, one.login_id))
        kept = [*kept[max(0, len(kept) - most + 1) :], flow]
        self._flows = {one.login_id: one for one in kept}

    async def take(self, login_id: LoginId, secret_hash: bytes) -> LoginFlow | None:
        """See :meth:`LoginFlowStore.take`."""
        found = self._flows.get(login_id)
        if found is None or found.secret_hash != secret_hash:
            return None
        return self._flows.pop(login_id)
