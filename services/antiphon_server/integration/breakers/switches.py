"""What operators say of breakers, done on this server."""

from antiphon_server.integration.breakers.model import Said, Target
from antiphon_server.integration.breakers.ports import SwitchStore
from antiphon_server.runtime.concurrency.breaker import Breaker
from antiphon_server.runtime.concurrency.tasks import every

LOOK_EVERY_S = 0.5
"""How often a server reads what was said at others."""


class Switches:
    """Opens and closes breakers as the store says. What this server is told it does at once."""

    def __init__(self, store: SwitchStore) -> None:
        self._store = store
        self._breakers: dict[Target, Breaker] = {}
        self._said: dict[Target, Said] = {}
        self._done: dict[Target, int] = {}

    def add(self, target: Target, breaker: Breaker) -> None:
        """Have this one opened and closed; it begins as was said last."""
        self._breakers[target] = breaker
        self._done.pop(target, None)
        if said := self._said.get(target):
            self._do(target, said)

    def remove(self, target: Target, breaker: Breaker) -> None:
        """Leave this one as it is from now on, unless another one has taken its place."""
        if self._breakers.get(target) is breaker:
            del self._breakers[target]

    async def begin(self) -> None:
        """Open those that are to be open; what was closed is closed. Raises DomainError."""
        for target, said in (await self._store.all()).items():
            self._do(target, said)

    async def switch(self, target: Target, *, open: bool) -> None:
        """Open or close one on all servers. Raises DomainError."""
        self._do(target, await self._store.say(target, open=open))

    async def run(self) -> None:
        """Do what is said at other servers, until cancelled."""
        await every(LOOK_EVERY_S, self.begin, at_once=False)

    def _do(self, target: Target, said: Said) -> None:
        if said.number >= self._said.get(target, said).number:
            self._said[target] = said
        breaker = self._breakers.get(target)
        if breaker is None or said.number <= self._done.get(target, 0):
            return
        self._done[target] = said.number
        if said.open:
            breaker.open()
        else:
            breaker.close()
