"""The live ends of the scopes that this node knows."""

import itertools
from collections import OrderedDict
from collections.abc import Sequence

from antiphon_server.events.hub import Hub, RingBudget
from antiphon_server.events.model import Epoch, Offset, Scope

MAX_HUBS = 1024


class Hubs:
    """One for each scope; beyond ``most`` those go that nobody follows, the oldest first."""

    def __init__(self, most: int = MAX_HUBS, budget: RingBudget | None = None) -> None:
        self._most = most
        self._budget = budget or RingBudget()
        self._hubs: OrderedDict[Scope, Hub] = OrderedDict()

    def get(self, scope: Scope) -> Hub | None:
        """The hub of a scope, if it has one."""
        return self._hubs.get(scope)

    def used(self, scope: Scope) -> Hub | None:
        """The same, for somebody who asks after the scope."""
        hub = self._hubs.get(scope)
        if hub is not None:
            self._hubs.move_to_end(scope)
        return hub

    def make(self, scope: Scope, epoch: Epoch, head: Offset) -> Hub:
        """A hub for a scope that has none."""
        hub = self._hubs[scope] = Hub(epoch, head, self._budget)
        if len(self._hubs) > self._most:
            idle = (name for name, it in self._hubs.items() if not it.followers and name != scope)
            for name in list(itertools.islice(idle, 16)):
                self._hubs.pop(name).clear()
        return hub

    def followed(self) -> Sequence[Scope]:
        """The scopes that somebody follows."""
        return [scope for scope, hub in self._hubs.items() if hub.followers]

    @property
    def ring_bytes(self) -> int:
        """What all rings hold."""
        return self._budget.used
