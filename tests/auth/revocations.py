"""How long it takes until another server on the same store refuses what one has revoked.

``python -m tests.auth.revocations`` fails if it once took longer than ``MOST_S``.
"""

import asyncio
import contextlib
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from antiphon.auth.v1 import auth_service_pb2 as pb
from antiphon.events.v1.stream_pb2 import CLOSE_REASON_SESSION_ENDED
from antiphon_server.auth.model import LoginMethod, Origin
from antiphon_server.auth.service.users import NewUser
from tests.auth.nodes import Node, bearer, node
from tests.auth.world import OPERATOR
from tests.fakes.valkey import Valkey

WAYS = ("without Redis", "with Redis", "Redis killed half-way", "Redis frozen half-way")
MOST_S = 1.0
DEADLINE_S = 30.0


@dataclass(slots=True)
class Times:
    """Seconds from RevokeSession's answer on one node to what happens on the other."""

    refused: list[float] = field(default_factory=list)
    ended: list[float] = field(default_factory=list)

    @property
    def longest(self) -> float:
        """The longest of all."""
        return max(self.refused + self.ended)

    def __str__(self) -> str:
        """The median and the longest."""
        return ", ".join(
            f"{name}: median {sorted(found)[len(found) // 2] * 1000:.0f} ms, "
            f"longest {max(found) * 1000:.0f} ms"
            for name, found in (("token refused", self.refused), ("stream ended", self.ended))
        )


async def measured(data_dir: Path, way: str, rounds: int) -> Times:
    """Revoke that many sessions, one after another."""
    times = Times()
    async with contextlib.AsyncExitStack() as stack:
        valkey = await stack.enter_async_context(Valkey()) if way != WAYS[0] else None
        url = valkey.url if valkey else ""
        here = await stack.enter_async_context(node(data_dir, url))
        there = await stack.enter_async_context(node(data_dir, url))
        user = await here.auth.accounts.users.create(OPERATOR, NewUser("ann"))
        for number in range(rounds):
            if valkey and number == rounds // 2 and way == WAYS[2]:
                await valkey.kill()
            if valkey and number == rounds // 2 and way == WAYS[3]:
                valkey.freeze()
            signed_in = await here.auth.accounts.sessions.open(user, Origin(LoginMethod.PASSWORD))
            await _revoke(here, there, user.user_id, signed_in.tokens.access_token, times)
    return times


async def refused(where: Node, token: str) -> None:
    """Return when the node refuses the token."""
    while await where.who_am_i(token):  # noqa: ASYNC110  # asked as clients ask
        await asyncio.sleep(0.002)


async def _revoke(here: Node, there: Node, user_id: str, token: str, times: Times) -> None:
    frames = await there.follow(user_id, token)
    assert await there.who_am_i(token)
    session = (await here.clients.WhoAmI(pb.WhoAmIRequest(), metadata=bearer(token))).session
    revoke = pb.RevokeSessionRequest(session_id=session.session_id)
    await here.clients.RevokeSession(revoke, metadata=bearer(token), timeout=DEADLINE_S)
    answered = time.perf_counter()

    async def told() -> None:
        await refused(there, token)
        times.refused.append(time.perf_counter() - answered)

    async def ended() -> None:
        async for frame in frames:
            if frame.ended.reason == CLOSE_REASON_SESSION_ENDED:
                times.ended.append(time.perf_counter() - answered)
                return

    async with asyncio.timeout(DEADLINE_S):
        await asyncio.gather(told(), ended())


async def _main(rounds: int) -> int:
    longest = 0.0
    for way in WAYS:
        with tempfile.TemporaryDirectory() as folder:
            times = await measured(Path(folder), way, rounds)
        sys.stdout.write(f"{way}, {rounds} times: {times}\n")
        longest = max(longest, times.longest)
    return int(longest > MOST_S)


if __name__ == "__main__":
    sys.exit(asyncio.run(_main(100)))
