"""Trying again what failed for now."""

import asyncio

import pytest

from antiphon_server.runtime.concurrency.retry import RetryPolicy, retrying

SOON = RetryPolicy(0.001)


class Flaky:
    """Fails so many times, then answers with how often it was called."""

    def __init__(self, failures: int, error: Exception | None = None) -> None:
        self.calls = 0
        self._failures = failures
        self._error = error or OSError("away")

    async def __call__(self) -> int:
        """Call it."""
        self.calls += 1
        if self.calls <= self._failures:
            raise self._error
        return self.calls


async def test_it_is_called_until_it_succeeds() -> None:
    """And its answer is returned."""
    assert await retrying(Flaky(3), SOON, OSError) == 4


async def test_another_failure_is_raised_at_once() -> None:
    """One of another type, or that is not worth it."""
    for call, worth in ((Flaky(9, ValueError()), True), (Flaky(9), False)):
        with pytest.raises((ValueError, OSError)):
            await retrying(call, SOON, OSError, lambda _, worth=worth: worth)  # type: ignore[misc]
        assert call.calls == 1


@pytest.mark.parametrize(
    ("policy", "calls"),
    [
        (RetryPolicy(0.001, tries=4), 4),
        (RetryPolicy(0.2, factor=1.0, within_s=0.1), 2),
    ],
)
async def test_the_last_failure_is_raised(policy: RetryPolicy, calls: int) -> None:
    """When it was tried so often, or for so long: the last pause begins within that time."""
    call = Flaky(99)
    with pytest.raises(OSError, match="away"):
        await retrying(call, policy, OSError)
    assert call.calls == calls


async def test_each_failure_is_told_before_its_pause() -> None:
    """With its number."""
    told: list[int] = []

    async def note(error: OSError, failures: int) -> None:
        told.append(failures)

    await retrying(Flaky(3), SOON, OSError, on_wait=note)
    assert told == [1, 2, 3]


async def test_a_cancellation_is_no_failure() -> None:
    """Whether it comes within the call or within a pause."""

    async def hang() -> None:
        await asyncio.Event().wait()

    for call in (hang, Flaky(1)):
        task = asyncio.create_task(retrying(call, RetryPolicy(60.0), Exception))
        await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


def test_pauses_grow_up_to_the_longest() -> None:
    """However many there were."""
    policy = RetryPolicy(0.5, longest_s=3.0)
    assert [policy.pause(failures) for failures in (1, 2, 3, 4, 10_000)] == [0.5, 1, 2, 3, 3]


def test_pauses_are_spread() -> None:
    """Between the two factors, so that those who failed together do not meet again."""
    policy = RetryPolicy(2.0, factor=1.0, jitter=(0.5, 1.5))
    pauses = {policy.pause(1) for _ in range(100)}
    assert len(pauses) > 50
    assert all(1.0 <= pause <= 3.0 for pause in pauses)
