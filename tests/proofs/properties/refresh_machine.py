"""Families of refresh tokens: used, used again, stolen, expired, over lives of the process."""

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass, field
from typing import ClassVar, TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from antiphon_server.auth.model import DAY, SECOND, TokenPair
from antiphon_server.runtime.access.principal import Principal, UserId
from antiphon_server.runtime.errors import DomainError, Reason
from tests.auth.world import FakeClock, open_world
from tests.proofs.properties.machine import Machine

T = TypeVar("T")
IDLE_S, LONGEST_S = 30 * DAY / SECOND, 180 * DAY / SECOND
picks = st.integers(0, 20)


@dataclass(slots=True)
class Family:
    """A session: all pairs that were given out, the newest last."""

    pairs: list[TokenPair]
    user_id: UserId
    rotated: float
    final: float
    ended: bool = False

    def live(self, now: float) -> bool:
        """Whether its tokens can be refreshed."""
        return not self.ended and now < min(self.rotated + IDLE_S, self.final)


@dataclass(slots=True)
class _Presented:
    """A token of a family, and what must come of it now."""

    family: Family
    generation: int
    now: float
    grace_s: float
    newest: int = field(init=False)

    def __post_init__(self) -> None:
        self.newest = len(self.family.pairs) - 1

    @property
    def expected(self) -> str:
        """What a refresh with it must do."""
        if not self.family.live(self.now):
            return "refused"
        if self.generation == self.newest:
            return "rotated"
        recent = self.now - self.family.rotated <= self.grace_s
        return "repeated" if recent and self.generation == self.newest - 1 else "reused"


class RefreshMachine(Machine):
    """Owners and thieves of tokens."""

    grace_s: ClassVar[float] = 10.0

    async def open(self) -> None:
        self.clock = FakeClock()
        self.families: list[Family] = []
        self.world = await open_world(self.home, clock=self.clock)
        await self.world.user()

    async def close(self) -> None:
        await self.world.close()

    @precondition(lambda self: sum(it.live(self.clock()) for it in self.families) < 2)
    @rule()
    def login(self) -> None:
        """Begin a family."""
        signed_in = self.run(self.world.login())
        now = self.clock()
        family = Family([signed_in.tokens], signed_in.user.user_id, now, now + LONGEST_S)
        self.families.append(family)

    @precondition(lambda self: self.families)
    @rule(which=picks, back=st.sampled_from([0, 0, 0, 1, 1, 2, 3]), times=st.integers(1, 4))
    def refresh(self, which: int, back: int, times: int) -> None:
        """Present a token, or one that was used before; several clients at once."""
        it = self._presented(which, back)
        expected, told = it.expected, len(self.world.events.told)
        answers = self.run(self._refresh([it.generation] * times, it.family))
        if expected == "rotated":
            assert isinstance(answers[0], TokenPair), answers[0]
            it.family.pairs.append(answers[0])
            it.family.rotated = self.clock()
        if expected in ("rotated", "repeated"):
            assert all(answer == it.family.pairs[-1] for answer in answers), answers
            return
        gone = {Reason.SESSION_REVOKED, *self._forgotten(it.family)}
        assert set(answers) <= gone, answers
        if expected == "reused":
            it.family.ended = True
            self._was_told(it.family)
        else:
            assert len(self.world.events.told) == told

    @precondition(lambda self: self.families)
    @rule(which=picks, seconds=st.sampled_from([0.0, 9.99, 10.0, 10.01, 11.0]))
    def lose_an_answer(self, which: int, seconds: float) -> None:
        """Refresh, and again with the same token, as a client that heard nothing does."""
        self.refresh(which, 0, 1)
        self.clock.time += seconds
        self.refresh(which, 1, 2)

    @precondition(lambda self: any(len(family.pairs) > 2 for family in self.families))
    @rule(which=picks)
    def steal(self, which: int) -> None:
        """Present the newest and an old token at once: in the end nobody has anything."""
        family = next(family for family in self.families if len(family.pairs) > 2)
        was_live, newest = family.live(self.clock()), len(family.pairs) - 1
        order = [newest, newest - 2] if which % 2 else [newest - 2, newest]
        answers = self.run(self._refresh(order, family))
        gone = {Reason.SESSION_REVOKED, *self._forgotten(family)}
        assert answers[order.index(newest - 2)] in gone
        family.ended = family.ended or was_live
        for answer in answers:
            if isinstance(answer, TokenPair):
                family.pairs.append(answer)

    @precondition(lambda self: self.families)
    @rule(which=picks, back=st.integers(0, 3))
    def verify(self, which: int, back: int) -> None:
        """Use an access token."""
        it = self._presented(which, back)
        pair = it.family.pairs[it.generation]
        answer = self.run(_outcome(self.world.auth.verifier.verify(pair.access_token)))
        if pair.access_expire_time <= self.clock() * SECOND:
            assert answer in (Reason.TOKEN_EXPIRED, Reason.TOKEN_INVALID)
        elif it.family.ended:
            assert answer is Reason.SESSION_REVOKED
        else:
            assert isinstance(answer, Principal), answer
            assert answer.session_id == pair.session_id

    @precondition(lambda self: self.families)
    @rule(which=picks)
    def revoke(self, which: int) -> None:
        """End a session by its owner."""
        it = self._presented(which, 0)
        pair = it.family.pairs[-1]
        caller = Principal("user", it.family.user_id, pair.session_id)
        live = it.family.live(self.clock())
        answer = self.run(_outcome(self.world.accounts.sessions.revoke(caller, pair.session_id)))
        assert answer is None or (answer is Reason.NOT_FOUND and not live)
        it.family.ended = True
        if live:
            self._was_told(it.family)

    @rule(seconds=st.sampled_from([1.0, 5.0, 9.0, 10.0, 11.0, 600.0, 20 * 86400.0, 31 * 86400.0]))
    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.clock.time += seconds

    @rule()
    def restart(self) -> None:
        """End the process and begin the next."""
        self.run(self.world.restart())

    def _presented(self, which: int, back: int) -> _Presented:
        family = self.families[-1 - which % len(self.families)]
        generation = max(len(family.pairs) - 1 - back, 0)
        return _Presented(family, generation, self.clock(), self.grace_s)

    def _forgotten(self, family: Family) -> set[Reason]:
        """What else is said of a session that ended long ago."""
        long_ago = self.clock() > family.rotated + IDLE_S
        return {Reason.CREDENTIALS_INVALID} if long_ago else set()

    async def _refresh(self, order: list[int], family: Family) -> list[TokenPair | Reason]:
        sessions = self.world.accounts.sessions
        tokens = [family.pairs[generation].refresh_token for generation in order]
        calls = [_outcome(sessions.refresh(token)) for token in tokens]
        return await asyncio.gather(*calls)

    def _was_told(self, family: Family) -> None:
        session_id = family.pairs[0].session_id
        assert (family.user_id, session_id) in self.world.events.told


async def _outcome(call: Awaitable[T]) -> T | Reason:
    try:
        return await call
    except DomainError as error:
        return error.reason
