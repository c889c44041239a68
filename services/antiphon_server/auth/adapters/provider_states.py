"""Which identity providers are asked: a part of the health for each, and a metric."""

import asyncio
from collections.abc import Iterator, Mapping
from typing import Any

from antiphon_server.auth.model.identities import ProviderName
from antiphon_server.auth.ports.identity_providers import IdentityProvider
from antiphon_server.runtime.concurrency.breaker import State
from antiphon_server.runtime.rpc.health import Health


class ProviderHealth:
    """Keeps the parts `identity_provider.NAME` of the health, without which the server serves."""

    def __init__(self, providers: Mapping[ProviderName, IdentityProvider], health: Health) -> None:
        self._providers, self._health = providers, health
        self._turned = asyncio.Event()
        for each in providers.values():
            each.on_turn(self._turned.set)

    async def tell(self) -> None:
        """Say how each is now."""
        for name, each in self._providers.items():
            closed = each.breaker.state is State.CLOSED
            await self._health.set(f"identity_provider.{name}", closed, needed=False)

    async def run(self) -> None:
        """Say so whenever that has changed, until cancelled."""
        while True:
            await self._turned.wait()
            self._turned.clear()
            await self.tell()


class ProviderMetrics:
    """A collector for a prometheus_client registry."""

    def __init__(self, providers: Mapping[ProviderName, IdentityProvider]) -> None:
        self._providers = providers

    def collect(self) -> Iterator[Any]:
        """Yield prometheus_client's metric families."""
        from prometheus_client.core import GaugeMetricFamily

        states = GaugeMetricFamily(
            "antiphon_identity_provider_breaker_state",
            "1 for the state that the breaker of an identity provider is in.",
            labels=["provider", "state"],
        )
        for name, each in self._providers.items():
            now = each.breaker.state
            for state in State:
                states.add_metric([name, state.name.lower()], float(now is state))
        yield states
