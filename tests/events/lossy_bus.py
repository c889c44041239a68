"""A bus that loses, repeats and disorders what it carries, as the test wants."""

import random

from antiphon_server.events.model import Commit
from tests.events.bus import Exchange, LocalBus

MOST_HELD = 4


class LossyBus(LocalBus):
    """A bus by ``chance``. While ``away`` it carries nothing, and says so."""

    def __init__(self, exchange: Exchange, chance: random.Random) -> None:
        super().__init__(exchange)
        self._chance = chance
        self._held: list[Commit] = []
        self.away = False

    @property
    def connected(self) -> bool:
        """See :meth:`Bus.connected`."""
        return not self.away and super().connected

    def send_commit(self, commit: Commit) -> None:
        """See :meth:`Bus.send_commit`."""
        fate = self._chance.random()
        if self.away or fate < 0.15:
            return
        self._held.append(commit)
        if fate < 0.3:
            self._held.append(commit)
        if fate < 0.5 and len(self._held) < MOST_HELD:
            return
        self._chance.shuffle(self._held)
        for held in self._held:
            super().send_commit(self._large(held))
        self._held.clear()

    def _large(self, commit: Commit) -> Commit:
        if self._chance.random() < 0.9:
            return commit
        return Commit(commit.scope, commit.epoch, commit.last, ())
