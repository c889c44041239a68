"""Refreshes that race each other and revocations, on a real store: ``python -m tests.auth.races``.

Counts what must never be: forks of one session, and refreshes or tokens that work after the
answer of the revocation that ended it.
"""

import asyncio
import random
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from antiphon_server.auth.model import TokenPair
from antiphon_server.runtime.errors import DomainError, Reason
from tests.auth.world import OPERATOR, World, open_world

AT_ONCE = 50


async def forks(world: World, rounds: int) -> int:
    """Refresh one token ``AT_ONCE`` times at once, round after round; how many answers differ."""
    token, found = (await world.login()).tokens.refresh_token, 0
    for _ in range(rounds):
        pairs = await asyncio.gather(*(world.refresh(token) for _ in range(AT_ONCE)))
        found += len(set(pairs)) - 1
        token = pairs[0].refresh_token
        world.clock.time += 1
    return found


@dataclass(slots=True)
class Outcomes:
    """How many refreshes came before the end and after it, and how many survived it."""

    refreshed: int = 0
    refused: int = 0
    survived: int = 0


async def revocations(world: World, rounds: int, chance: random.Random) -> Outcomes:
    """Revoke a session while it is refreshed, at any moment of either."""
    outcomes = Outcomes()
    for _ in range(rounds):
        pairs = [(await world.login()).tokens]
        delays = [chance.random() / 250 for _ in range(4)]
        refreshes = (_refresh(world, pairs, delay, outcomes) for delay in delays[1:])
        await asyncio.gather(_revoke(world, pairs[0], delays[0]), *refreshes)
        outcomes.survived += await _alive(world, pairs)
    return outcomes


async def _revoke(world: World, pair: TokenPair, delay: float) -> None:
    await asyncio.sleep(delay)
    await world.accounts.sessions.revoke(OPERATOR, pair.session_id)


async def _refresh(world: World, pairs: list[TokenPair], delay: float, outcomes: Outcomes) -> None:
    await asyncio.sleep(delay)
    try:
        pairs.append(await world.refresh(pairs[0].refresh_token))
    except DomainError as error:
        if error.reason is not Reason.SESSION_REVOKED:
            raise
        outcomes.refused += 1
    else:
        outcomes.refreshed += 1


async def _alive(world: World, pairs: list[TokenPair]) -> int:
    """How many of the tokens work, though the session was revoked."""
    attempts = [world.refresh(pair.refresh_token) for pair in pairs]
    attempts += [world.verify(pair.access_token) for pair in pairs]  # type: ignore[misc]
    results = await asyncio.gather(*attempts, return_exceptions=True)
    return sum(not isinstance(result, DomainError) for result in results)


async def _main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        world = await open_world(Path(folder))
        await world.user()
        found = await forks(world, 200)
        sys.stdout.write(f"200 rounds of {AT_ONCE} refreshes of one token: {found} forks\n")
        outcomes = await revocations(world, 1_000, random.Random(1))
        sys.stdout.write(f"1,000 revocations against refreshes: {outcomes}\n")
        await world.close()


if __name__ == "__main__":
    asyncio.run(_main())
