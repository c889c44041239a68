"""Parts start in order, stop in reverse, and nothing is left running."""

import asyncio

import pytest

from antiphon_server.runtime.process.lifecycle import Lifecycle
from antiphon_server.runtime.rpc.health import Health
from tests.e2e.until import SOON_S, until


@pytest.fixture
def steps() -> list[str]:
    return []


def part(lifecycle: Lifecycle, name: str, steps: list[str]) -> None:
    """Start a part that says when it starts and stops."""
    steps.append(f"+{name}")

    async def stop() -> None:
        steps.append(f"-{name}")

    lifecycle.on_stop(name, stop)


async def forever(name: str, steps: list[str]) -> None:
    steps.append(f"+{name}")
    try:
        await asyncio.Event().wait()
    finally:
        await asyncio.sleep(0)
        steps.append(f"-{name}")


async def test_the_last_started_stops_first(steps: list[str]) -> None:
    """Stop functions and tasks stop in the reverse order of their start."""
    async with Lifecycle() as lifecycle:
        part(lifecycle, "store", steps)
        lifecycle.spawn("relay", forever("relay", steps))
        part(lifecycle, "server", steps)
        await asyncio.sleep(0)
        steps.clear()
    assert steps == ["-server", "-relay", "-store"]


async def test_a_part_that_fails_to_stop_does_not_keep_others(
    steps: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    """Its failure is logged with its name."""

    async def fails() -> None:
        raise ValueError("no")

    async with Lifecycle() as lifecycle:
        part(lifecycle, "store", steps)
        lifecycle.on_stop("cache", fails)
    assert steps == ["+store", "-store"]
    assert "cache failed to stop" in caplog.text


async def test_what_started_stops_if_a_later_part_does_not_start(steps: list[str]) -> None:
    """The error of the start is raised after the rest was stopped."""

    async def start() -> None:
        async with Lifecycle() as lifecycle:
            part(lifecycle, "store", steps)
            raise ValueError("can't start")

    with pytest.raises(ValueError, match="can't start"):
        await start()
    assert steps == ["+store", "-store"]


@pytest.mark.parametrize("vital", [True, False])
async def test_a_crashing_task_ends_the_process_and_its_health(
    vital: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """It is logged, told to health, and sets `crashed`; one that is not vital lets it serve on."""
    health = Health()
    await health.set("relay", True)
    await health.ready()

    async def crashes() -> None:
        raise ValueError("canary")

    async with Lifecycle(health) as lifecycle:
        lifecycle.spawn("relay", crashes(), vital=vital)
        await until(lambda: not health.parts["relay"], SOON_S)
        await asyncio.sleep(0.01)
        assert lifecycle.crashed.is_set() is vital
        assert health.serving is not vital
        assert "background task relay crashed" in caplog.text


async def test_a_task_that_ends_by_itself_is_no_crash() -> None:
    """Work that is done leaves health alone."""

    async def ends() -> None:
        return

    health = Health()
    async with Lifecycle(health) as lifecycle:
        lifecycle.spawn("once", ends())
        await asyncio.sleep(0.01)
        assert not lifecycle.crashed.is_set()
    assert health.parts == {}


async def test_cancelling_the_stop_does_not_leave_parts(steps: list[str]) -> None:
    """Everything is stopped, then the cancellation is raised."""
    lifecycle = Lifecycle()
    part(lifecycle, "store", steps)
    lifecycle.on_stop("slow", lambda: asyncio.sleep(10))
    stopping = asyncio.create_task(lifecycle.stop())
    await asyncio.sleep(0.01)
    stopping.cancel()
    with pytest.raises(asyncio.CancelledError):
        await stopping
    assert steps == ["+store", "-store"]
