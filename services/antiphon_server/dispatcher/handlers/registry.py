"""Which handlers there are."""

from collections.abc import Sequence

from antiphon_server.dispatcher.handling import Handler, HandlerInfo, LossPolicy
from antiphon_server.runtime.errors import DomainError, Reason


class Handlers:
    """The handlers of this node; the first is the default."""

    def __init__(self, handlers: Sequence[Handler]) -> None:
        self._default = handlers[0]
        self._by_name = {handler.info.name: handler for handler in handlers}

    def named(self, name: str) -> Handler:
        """Return the handler, the default for an empty name.

        Raises DomainError HANDLER_NOT_FOUND.
        """
        if not name:
            return self._default
        found = self._by_name.get(name)
        if found is None:
            raise DomainError(Reason.HANDLER_NOT_FOUND, handler=name)
        return found

    def resumes(self, name: str) -> bool:
        """Whether a lost turn of this handler is to be started again."""
        found = self._by_name.get(name)
        return found is not None and found.info.loss_policy is LossPolicy.RESUME

    def find(self, name: str) -> Handler | None:
        """Return the handler of a turn; None if this server has none of that name."""
        return self._by_name.get(name)

    def infos(self) -> Sequence[HandlerInfo]:
        """Return how they present themselves, the default first."""
        return [handler.info for handler in self._by_name.values()]
