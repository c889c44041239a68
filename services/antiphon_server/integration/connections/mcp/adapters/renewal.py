"""Tokens that are renewed once for all who wait, in this process and on other servers.

A refresh token may be used once, and a second use may cost the whole grant. So who is about to use
one writes that down first, by a change that only one can make; all others wait for what it stores.
"""

import asyncio
import time
from contextlib import suppress

from mcp.client.auth.utils import union_scopes

from antiphon_server.integration.connections.mcp.adapters.exchange import exchanging, explained
from antiphon_server.integration.connections.mcp.adapters.granted import Granted, provider
from antiphon_server.integration.connections.mcp.model import OAuth
from antiphon_server.integration.connections.mcp.ports import Outside
from antiphon_server.runtime.errors.domain_error import DomainError, Reason

RENEW_S = 30.0
"""So long all of a renewal may take, waiting for another server's with it."""
CLAIM_S = 15.0
"""So long others wait for who has said that it renews; its request takes 10 s at most."""
LOOK_S = 0.1
_REFUSED = (400, 401, 403)


class Grant:
    """What one connection was granted, as far as this process knows."""

    def __init__(self, name: str, url: str, credential: OAuth, outside: Outside) -> None:
        self.url, self.credential, self.outside = url, credential, outside
        self._name, self._store = name, outside.tokens
        self._granted, self._version = Granted(), 0
        self._renewing: asyncio.Task[str] | None = None

    @property
    def granted(self) -> Granted:
        """What was read or stored last."""
        return self._granted

    @property
    def required(self) -> DomainError:
        """Only a person can help."""
        return DomainError(Reason.AUTHORIZATION_REQUIRED, connection=self._name)

    async def token(self, refused: str | None = None) -> str:
        """An access token that holds, and is not the one that was ``refused``.

        Raises DomainError AUTHORIZATION_REQUIRED, CONNECTION_UNAVAILABLE, EGRESS_DENIED.
        """
        known = self._granted.access
        if known and known != refused:
            return known
        if self._renewing is None or self._renewing.done():
            self._renewing = asyncio.create_task(self._renew(refused), name="mcp.renewal")
            self._renewing.add_done_callback(_seen)
        return await asyncio.shield(self._renewing)  # a call that is cancelled loses no token

    async def put(self, granted: Granted) -> None:
        """Keep what a person has just granted."""
        while not await self._save(granted):
            await self.load()

    async def want(self, scope: str | None) -> None:
        """Keep which scope was missing, so that the next consent is asked for it."""
        had = self._granted.tokens.scope if self._granted.tokens else None
        before = union_scopes(self._granted.asked, had)
        wanted = union_scopes(union_scopes(self._granted.wanted, before), scope)
        if wanted != self._granted.wanted:
            await self._save(self._granted.model_copy(update={"wanted": wanted}))

    async def close(self, seconds: float) -> None:
        """Wait for a renewal that runs: what it brings would be lost."""
        if self._renewing is not None:
            await asyncio.wait([self._renewing], timeout=seconds)
            self._renewing.cancel()
            await asyncio.wait([self._renewing])

    async def _renew(self, refused: str | None) -> str:
        with explained(self._name):
            async with asyncio.timeout(RENEW_S):
                while not await self._claimed(refused):
                    known = self._granted.access
                    if known and known != refused:
                        return known
                    await asyncio.sleep(LOOK_S)
                try:
                    return await self._renewed()
                except BaseException:
                    await self._release()
                    raise

    async def _claimed(self, refused: str | None) -> bool:
        """Whether it is this process that renews. Raises DomainError AUTHORIZATION_REQUIRED."""
        await self.load()
        granted = self._granted
        if granted.access and granted.access != refused:
            return False
        if not granted.renewable:
            raise self.required
        if granted.renewing_until > time.time():
            return False
        until = time.time() + CLAIM_S
        return await self._save(granted.model_copy(update={"renewing_until": until}))

    async def _renewed(self) -> str:
        before = self._granted
        known = await provider(self.url, self.credential, before)
        async with exchanging(self.url, self.outside) as send:
            response = await send(await known.refresh())
        if response.status_code in _REFUSED:
            await self._save(before.model_copy(update={"tokens": None, "renewing_until": 0.0}))
            raise self.required
        response.raise_for_status()
        if not await known.refreshed(response):
            raise ValueError("no tokens")
        granted = known.granted.model_copy(update={"wanted": before.wanted})
        if not await self._save(granted):
            await self.load()  # a person has consented anew meanwhile, or it was removed
        tokens = self._granted.tokens
        if tokens is None:
            raise self.required
        return tokens.access_token

    async def _release(self) -> None:
        if self._granted.renewing_until:
            with suppress(DomainError):
                await self._save(self._granted.model_copy(update={"renewing_until": 0.0}))

    async def load(self) -> None:
        """Read what is kept."""
        if self._store is not None:
            found, self._version = await self._store.load()
            self._granted = Granted.model_validate_json(found) if found else Granted()

    async def _save(self, granted: Granted) -> bool:
        if self._store is not None:
            kept = granted.model_dump_json(exclude_none=True)
            version = await self._store.save(kept, self._version)
            if version is None:
                return False
            self._version = version
        self._granted = granted
        return True


def _seen(task: "asyncio.Task[str]") -> None:
    """Nobody may be left to hear of it."""
    if not task.cancelled():
        task.exception()
