"""Signing keys in memory."""

from dataclasses import replace

from antiphon_server.auth.model import Rotation, StoredSigningKey
from antiphon_server.auth.model.requests import Answer
from antiphon_server.auth.ports.security_events import Records
from tests.fakes.memory.auth.rows import MemoryRows


class MemorySigningKeys:
    """A :class:`~antiphon_server.auth.ports.SigningKeyStore` in memory."""

    def __init__(self, rows: MemoryRows) -> None:
        self._keys: dict[str, StoredSigningKey] = {}
        self._rows = rows

    async def rotate(
        self,
        fresh: StoredSigningKey,
        when: int,
        now: int,
        records: Records[Rotation],
        unless_since: int | None = None,
        answer: Answer | None = None,
    ) -> bool:
        """See :meth:`SigningKeyStore.rotate`."""
        self._rows.requests.check(answer)
        used = [key for key in self._keys.values() if key.retire_time is None]
        if unless_since is not None and (
            not used or max(key.create_time for key in used) > unless_since
        ):
            return False
        dying = [
            replace(key, retire_time=min(when, _dies(key, when)))
            for key in await self.list_valid(now)
        ]
        retired = tuple(sorted(key.kid for key in used))
        self._rows.trail.record(records, Rotation(fresh, retired))
        self._keys = {key.kid: key for key in (*dying, fresh) if _dies(key, now + 1) > now}
        self._rows.requests.remember(answer)
        self._rows.endings.count()
        return True

    async def list_valid(self, now: int) -> list[StoredSigningKey]:
        """See :meth:`SigningKeyStore.list_valid`."""
        valid = [key for key in self._keys.values() if _dies(key, now + 1) > now]
        return sorted(valid, key=lambda key: (key.create_time, key.kid))


def _dies(key: StoredSigningKey, never: int) -> int:
    return never if key.retire_time is None else key.retire_time
