"""What befalls servers, workers and their streams."""

import asyncio
from random import Random

from tests.proofs.workers.cables import Net
from tests.proofs.workers.hand import Hand
from tests.proofs.workers.judging import Judge
from tests.proofs.workers.server import Server


class Faults:
    """Each is a method, which returns when it is over."""

    chance: Random
    net: Net
    judge: Judge
    _hands: list[Hand]
    _servers: list[Server]

    def _dialled(self) -> list[Server]:
        return [it for it in self._servers if not it.place.dead]

    async def _new_server(self, name: str) -> None:
        raise NotImplementedError

    def _new_hand(self, name: str, slots: int) -> None:
        raise NotImplementedError

    def _some_hand(self) -> Hand:
        alive = [it for it in self._hands if not it.place.dead and it.place.name != "anchor"]
        return self.chance.choice(alive)

    async def _cut(self) -> None:
        hand = self.chance.choice([it for it in self._hands if not it.place.dead])
        if hand.cable is not None and not hand.cable.closed:
            hand.cable.cut()

    async def _cut_at(self) -> None:
        hand = self.chance.choice([it for it in self._hands if not it.place.dead])
        if hand.cable is not None:
            hand.cable.cut_in(self.chance.randint(0, 20))

    async def _lose_acks(self) -> None:
        hand = self.chance.choice([it for it in self._hands if not it.place.dead])
        if (cable := hand.cable) is not None:
            cable.hold(up=False)
            await asyncio.sleep(self.chance.uniform(0, 1.0))
            cable.cut()

    async def _cut_lent(self) -> None:
        lent = [it for it in self.net.cables if it.client.name in "ab" and not it.closed]
        if lent:
            self.chance.choice(lent).cut_in(self.chance.randint(0, 20))

    async def _kill_hand(self) -> None:
        busy = [it for it in self._hands if self.judge.has(it) and it.place.name != "anchor"]
        hand = self.chance.choice(busy) if busy else self._some_hand()
        self.judge.died(hand)
        await self.net.kill(hand.place)
        self._new_hand(f"{hand.place.name}'", hand.slots)

    async def _halt_hand(self) -> None:
        hand = self._some_hand()
        hand.place.halt()
        await asyncio.sleep(self.chance.choice([1.0, 4.0, 7.0, 12.0]))
        hand.place.go_on()

    async def _part_hand(self) -> None:
        hand = self._some_hand()
        self.net.part(hand.place)
        await asyncio.sleep(self.chance.choice([1.0, 4.0, 7.0, 12.0]))
        self.net.join(hand.place, torn=self.chance.random() < 0.5)

    async def _drain_hand(self) -> None:
        hand = self._some_hand()
        hand.place.here(hand.session.stop, self.chance.choice([0.0, 2.0, 30.0]))
        self._new_hand(f"{hand.place.name}'", hand.slots)

    async def _kill_server(self) -> None:
        server = self.chance.choice(self._dialled())
        await server.kill()
        self._servers.remove(server)
        await asyncio.sleep(self.chance.choice([0.0, 0.5, 3.0, 20.0]))
        await self._new_server(server.name)

    async def _halt_server(self) -> None:
        server = self.chance.choice(self._dialled())
        with self.judge.server_away():
            server.place.halt()
            await asyncio.sleep(self.chance.choice([1.0, 6.0, 12.0, 25.0]))
            server.place.go_on()

    async def _part_server(self) -> None:
        server = self.chance.choice(self._dialled())
        with self.judge.server_away():
            self.net.part(server.place)
            await asyncio.sleep(self.chance.choice([1.0, 6.0, 12.0]))
            self.net.join(server.place, torn=self.chance.random() < 0.5)


_DROPS = ("cut", "cut_at", "lose_acks", "cut_lent")
_DEATHS = ("kill_hand", "halt_hand", "part_hand", "drain_hand")
_SERVERS = ("kill_server", "halt_server", "part_server")
FAULTS = {
    "drops": _DROPS,
    "deaths": (*_DEATHS, *_DROPS),
    "servers": (*_SERVERS, *_DROPS),
    "all": (*_DROPS, *_DEATHS, *_SERVERS),
}
