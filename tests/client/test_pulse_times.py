"""How soon silence is told, by a clock that does not depend on the machine."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from antiphon_client import ApiKey
from antiphon_client.pulse import PAUSE_S, Pulse
from antiphon_client.redial import Redial
from tests.client.fake_server import FakeServer
from tests.fakes.clocks import in_no_time

MOST_S = 10.0


class Felt:
    """A pulse, and when it did what, in seconds after its connection began."""

    def __init__(self, answers: Callable[[], bool], *, awaited: bool = True) -> None:
        self.asked: list[float] = []
        self.told: list[tuple[str, float]] = []
        self._answers = answers
        tokens = FakeServer().client(ApiKey("key")).tokens
        redial = Redial(tokens, 60.0, lambda at: self.told.append((at.state, self._at())))
        self.pulse = Pulse(redial, lambda: awaited, self._ask, MOST_S)
        self.began = 0.0

    def _ask(self) -> None:
        self.asked.append(self._at())
        if self._answers():
            self.pulse.heard()

    def _at(self) -> float:
        return round(asyncio.get_running_loop().time() - self.began, 6)

    async def dies(self) -> float:
        """How long its next connection is kept."""
        self.began = asyncio.get_running_loop().time()
        await self.pulse.keep()
        return self._at()

    @asynccontextmanager
    async def kept(self) -> AsyncIterator[None]:
        """While it feels for a server that lives."""
        self.began = asyncio.get_running_loop().time()
        keeping = asyncio.create_task(self.pulse.keep())
        yield
        assert not keeping.done()
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)


@in_no_time
async def test_silence_is_told_within_two_seconds() -> None:
    """From the last frame on; two later the connection is dead, and the next one has more time."""
    felt = Felt(lambda: False)
    assert await felt.dies() == pytest.approx(2 * PAUSE_S + 2.0)
    ((state, after_s),) = felt.told
    assert state == "silent"
    assert after_s == pytest.approx(2 * PAUSE_S)
    assert 2 * PAUSE_S < 2.0
    assert await felt.dies() == pytest.approx(2 * PAUSE_S + 4.0)
    assert await felt.dies() == pytest.approx(2 * PAUSE_S + 8.0)
    assert await felt.dies() == pytest.approx(2 * PAUSE_S + MOST_S)
    felt.pulse.heard()
    assert await felt.dies() == pytest.approx(2 * PAUSE_S + 2.0)


@in_no_time
async def test_a_frame_between_is_the_end_of_silence() -> None:
    """Also one that comes long after it was asked for: the connection is kept."""
    felt = Felt(lambda: len(felt.asked) > 1)
    async with felt.kept():
        await asyncio.sleep(2 * PAUSE_S + 1.9)
        felt.pulse.heard()
        await asyncio.sleep(60)
    assert [state for state, _ in felt.told] == ["silent", "connected"]


@in_no_time
async def test_who_answers_is_never_called_silent() -> None:
    """However long it has nothing to say but that."""
    felt = Felt(lambda: True)
    async with felt.kept():
        await asyncio.sleep(600)
    assert felt.told == []
    assert len(felt.asked) > 100


@in_no_time
async def test_nobody_is_asked_while_nothing_is_awaited() -> None:
    """For an hour."""
    felt = Felt(lambda: False, awaited=False)
    async with felt.kept():
        await asyncio.sleep(3600)
    assert (felt.asked, felt.told) == ([], [])
