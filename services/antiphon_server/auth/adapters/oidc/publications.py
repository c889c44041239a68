"""What one provider publishes, and whether it is there."""

from collections.abc import Callable

from antiphon_server.auth.adapters.oidc.guard import Guard
from antiphon_server.auth.model.identity_providers import IdentityProviderSettings
from antiphon_server.auth.ports import Clock
from antiphon_server.auth.ports.identity_providers import ProviderWire
from antiphon_server.auth.service.issuers import issuer_rules
from antiphon_server.auth.service.provider_keys import KeySet, read_keys
from antiphon_server.auth.service.provider_metadata import Metadata, metadata_url, read_metadata
from antiphon_server.auth.service.published import Published
from antiphon_server.runtime.concurrency.breaker import State
from antiphon_server.runtime.concurrency.completion import Completion

PAUSE_S = 5.0
SEEN_S = 30.0
"""How long after it was last seen a provider is taken to be there yet."""


class Publications:
    """The metadata and the keys of one provider; all of them raise Unanswered."""

    def __init__(
        self,
        settings: IdentityProviderSettings,
        wire: ProviderWire,
        guard: Guard,
        completion: Completion,
        clock: Clock,
    ) -> None:
        self._url, self._issuer = metadata_url(settings), issuer_rules(settings).published
        self._wire, self._guard, self._completion = wire, guard, completion
        self._metadata = Published(self._fetch_metadata, completion, clock, PAUSE_S)
        self._keys = Published(self._fetch_keys, completion, clock)
        self._sight = Published(self._look, completion, clock, PAUSE_S, SEEN_S, SEEN_S)

    async def metadata(self) -> Metadata:
        """The discovery document."""
        return await self._metadata.get()

    async def keys(self, wanted: Callable[[KeySet], bool]) -> KeySet:
        """The keys, which may lack what is wanted even so."""
        return await self._keys.get(wanted)

    async def reachable(self) -> Metadata:
        """The discovery document, for sending a person there.

        Who comes to a provider that is away never comes back, so nobody's call would show that it
        is. So it is looked at when it was not seen for a while: behind the caller, for whom it is
        there as far as is known; or before, if it was left alone until now.
        """
        self._guard.check()
        metadata = await self._metadata.get()
        if self._metadata.older_than(SEEN_S):
            if self._guard.breaker.state is State.CLOSED:
                self._completion.begin(self._sight.get())
            else:
                await self._completion.run(self._sight.get())
        return metadata

    async def _fetch_metadata(self) -> Metadata:
        with self._guard.call():
            return await self._read_metadata()

    async def _look(self) -> Metadata:
        # That a document stands there does not show that codes are redeemed: a login shows that.
        with self._guard.call(is_proof=False):
            return await self._read_metadata()

    async def _read_metadata(self) -> Metadata:
        return read_metadata(await self._wire.get(self._url), self._issuer)

    async def _fetch_keys(self) -> KeySet:
        uri = (await self._metadata.get()).jwks_uri
        with self._guard.call():
            return read_keys(await self._wire.get(uri))
