"""Which handlers there are."""

from collections.abc import Sequence

from antiphon_server.dispatcher.handling import Handler, HandlerInfo, LossPolicy, Workers
from antiphon_server.runtime.errors import DomainError, Reason


class Handlers:
    """The handlers of this node, the first is the default; and those that ``workers`` serve."""

    def __init__(self, handlers: Sequence[Handler], workers: Workers | None = None) -> None:
        self._workers = workers
        self._default = handlers[0]
        self._by_name = {handler.info.name: handler for handler in handlers}

    def named(self, name: str) -> Handler:
        """Return the handler, the default for an empty name.

        Raises DomainError HANDLER_NOT_FOUND.
        """
        if not name:
            return self._default
        found = self.find(name)
        if found is None:
            raise DomainError(Reason.HANDLER_NOT_FOUND, handler=name)
        return found

    async def check(self, workspace_id: str, name: str) -> None:
        """Raise DomainError HANDLER_NOT_FOUND unless somebody may serve it there.

        Without a workspace: anywhere.
        """
        if not name or name in self._by_name:
            return
        if self._workers is None or not await self._workers.knows(workspace_id, name):
            raise DomainError(Reason.HANDLER_NOT_FOUND, handler=name)

    def resumes(self, name: str) -> bool:
        """Whether a lost turn of this handler is to be started again."""
        found = self.find(name)
        return found is not None and found.info.loss_policy is LossPolicy.RESUME

    def find(self, name: str) -> Handler | None:
        """Return the handler of a turn; None if this server has none of that name."""
        found = self._by_name.get(name)
        if found is None and self._workers is not None:
            return self._workers.named(name)
        return found

    async def infos(self, workspace_id: str = "") -> Sequence[HandlerInfo]:
        """Return how they present themselves, the default first, a workspace's workers' last."""
        own = [handler.info for handler in self._by_name.values()]
        theirs = await self._workers.infos(workspace_id) if self._workers is not None else ()
        return [*own, *theirs]
