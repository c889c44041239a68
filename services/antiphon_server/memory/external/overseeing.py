"""What operators see of a memory of others, and have done to it."""

from antiphon_server.memory.external.asking import Asking
from antiphon_server.memory.external.model import Status
from antiphon_server.memory.external.ports import ExternalProgress
from antiphon_server.memory.external.telling import Telling
from antiphon_server.runtime.errors import DomainError, Reason


class Overseeing:
    """How the memory ``name`` is."""

    def __init__(
        self, name: str, kind: str, asking: Asking, telling: Telling, progress: ExternalProgress
    ) -> None:
        self.name, self._kind = name, kind
        self._asking, self._telling, self._progress = asking, telling, progress

    @property
    def serves(self) -> bool:
        """Whether it is asked and answers, and is told."""
        return self._asking.answers and self._telling.error is None

    async def status(self) -> Status:
        """How it is, as this server knows. Raises DomainError STORE_UNAVAILABLE."""
        asking, error = self._asking, self._telling.error
        return Status(
            self.name,
            self._kind,
            self.serves,
            await self._progress.store_id(self.name),
            await self._progress.waiting(self.name),
            self._telling.told_us,
            error.value if error else "",
            {it.name: count for it, count in asking.searches.items()},
            asking.dropped,
            asking.altered,
            self._telling.passed_over,
        )

    async def resync(self) -> Status:
        """Have it told everything anew. Raises DomainError STORE_UNAVAILABLE."""
        await self._telling.begin_anew()
        return await self.status()


async def status_of(overseeing: Overseeing | None) -> Status:
    """How it is, if there is one."""
    return await overseeing.status() if overseeing is not None else Status()


async def resynced(overseeing: Overseeing | None, name: str) -> Status:
    """Have that one told everything anew. Raises DomainError EXTERNAL_MEMORY_UNSET."""
    if overseeing is None or overseeing.name != name:
        raise DomainError(Reason.EXTERNAL_MEMORY_UNSET, connection=name)
    return await overseeing.resync()
