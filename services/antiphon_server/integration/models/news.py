"""Tells of models whose breakers were opened or closed."""

import asyncio
from collections.abc import Iterable

from antiphon_server.integration.models.catalogue import ConfiguredModel
from antiphon_server.integration.models.model import ModelName
from antiphon_server.integration.models.ports import Told


class BreakerNews:
    """Tells of each model how it is then, one after the other; breakers wait for nobody."""

    def __init__(self, told: Iterable[Told]) -> None:
        self._told = tuple(told)
        self._new: dict[ModelName, ConfiguredModel] = {}
        self._any = asyncio.Event()

    def note(self, model: ConfiguredModel) -> None:
        """Have it told soon."""
        self._new[model.name] = model
        self._any.set()

    async def run(self) -> None:
        """Tell what is noted, until cancelled."""
        while True:
            await self._any.wait()
            self._any.clear()
            while self._new:
                model = self._new.pop(next(iter(self._new)))
                for told in self._told:
                    await told(model.name, model.breaker, model.last_failure)
