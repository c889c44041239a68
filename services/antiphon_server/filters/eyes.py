"""What looks for each kind of things."""

from collections.abc import Callable, Sequence
from functools import cached_property

from antiphon_server.filters.finding.injection import Injection as InjectionModel
from antiphon_server.filters.finding.injection import InjectionMissing
from antiphon_server.filters.finding.model import Finder, Found
from antiphon_server.filters.finding.searching import Search
from antiphon_server.filters.model import Injection, Kind, Origin, Remote
from antiphon_server.filters.ports import AsksRemote, Looks
from antiphon_server.filters.reading import Readers
from antiphon_server.runtime.concurrency.bulkhead import NoPlace
from antiphon_server.runtime.errors import DomainError, Reason, invalid


class Eyes:
    """Makes what looks for a kind of things: ``finders`` of texts, or programs of others."""

    def __init__(self, finders: Callable[[Kind], Sequence[Finder]], remote: AsksRemote) -> None:
        self._finders, self._remote, self._readers = finders, remote, Readers()

    @cached_property
    def _model(self) -> InjectionModel:
        """One for all: it takes some hundred MB. Raises DomainError INVALID_ARGUMENT."""
        try:
            return InjectionModel()
        except InjectionMissing as missing:
            raise invalid("filters.injection", str(missing)) from None

    def __call__(self, kind: Kind) -> Looks:
        """What looks for it. Raises DomainError INVALID_ARGUMENT for terms that are too large."""
        if isinstance(kind, Remote):
            return _Asking(kind.tool, self._remote)
        if isinstance(kind, Injection):
            return _Judging(self._model)
        return _Reading(self._finders(kind), self._readers)

    def close(self) -> None:
        """Let threads go."""
        self._readers.close()


class _Judging:
    def __init__(self, model: InjectionModel) -> None:
        self._model = model

    async def __call__(self, texts: Sequence[str], origin: Origin) -> Sequence[Found]:
        try:
            return await self._model.look(texts)
        except NoPlace:
            raise DomainError(Reason.OVERLOADED, retry_after=1.0) from None


class _Asking:
    def __init__(self, tool: str, remote: AsksRemote) -> None:
        self._tool, self._remote = tool, remote

    async def __call__(self, texts: Sequence[str], origin: Origin) -> Sequence[Found]:
        return await self._remote.ask(self._tool, texts, origin)


class _Reading:
    def __init__(self, finders: Sequence[Finder], readers: Readers) -> None:
        self._finders, self._readers = finders, readers

    async def __call__(self, texts: Sequence[str], origin: Origin) -> Sequence[Found]:
        return await self._readers.read(Search(texts, self._finders), sum(map(len, texts)))
