"""A server that dies under answers, with the lease it has by default: the other one is quick."""

import asyncio
import base64
import os
import signal
import time
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

import pytest

from antiphon.events.v1.event_pb2 import TURN_STATE_FAILED, TURN_STATE_SUCCEEDED, Event
from antiphon_client import Client
from tests.e2e.process import all_of
from tests.e2e.server import ServerProcess, openai_model
from tests.e2e.until import PATIENCE_S
from tests.fakes.openai_behaviour import Behaviour
from tests.fakes.openai_endpoint import FakeEndpoint
from tests.fakes.postgres import Postgres

LONG = Behaviour(deltas=2000, gap_ms=5)
LATE = Behaviour(first_byte_ms=5000)
WORDS = " ".join(f"w{number}" for number in range(60))  # 1.2 s of echo
FROZEN_S = 4.0
LOOKS = 80
CUT = "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'"
WITHIN_S = 8.0
"""About 1 s, on a machine that has other things to do; the lease runs for 10 s at least."""


async def _seen(client: Client, conversation: str, wanted: Callable[[Event], bool]) -> Event:
    """The first such event, as a stream of that server tells it."""
    events = aiter(client.follow(f"conversations/{conversation}", earliest=True))
    async with asyncio.timeout(PATIENCE_S), aclosing(events):
        async for event in events:
            if wanted(event):
                return event
    raise AssertionError


@asynccontextmanager
async def _two(
    postgres: Postgres, home: Path, answer: Behaviour = LONG
) -> AsyncIterator[tuple[ServerProcess, ServerProcess]]:
    """Two servers, and how their model answers."""
    variables = {
        "ANTIPHON_DATABASE_URL": await postgres.database(),
        "ANTIPHON_SECRET_KEY": base64.b64encode(os.urandom(32)).decode(),
    }
    async with FakeEndpoint() as endpoint:
        endpoint.plan.append(answer)
        models = [openai_model("fake/model", endpoint.base_url)]
        first, second = (
            ServerProcess(home / name, models=models, variables=variables) for name in "ab"
        )
        async with all_of([first, second]):
            yield first, second


def _is_text(event: Event) -> bool:
    return event.HasField("text_delta_appended")


def _is_end(event: Event) -> bool:
    return event.HasField("turn_finished")


@pytest.mark.parametrize("handler", ["", "echo"])
async def test_its_turns_are_the_others_at_once(
    postgres: Postgres, tmp_path: Path, handler: str
) -> None:
    """A model's is told to be lost, an echo goes on: nobody waits for the lease."""
    async with (
        _two(postgres, tmp_path) as (first, second),
        first.client() as one,
        second.client() as other,
    ):
        where = (await one.create_conversation()).conversation_id
        await one.dispatch(where, WORDS, handler=handler)
        await _seen(other, where, _is_text)
        began = time.monotonic()
        await first.kill()
        end = await _seen(other, where, _is_end)
        took = time.monotonic() - began
        print(f"ended {took:.2f} s after its server")
        state = TURN_STATE_SUCCEEDED if handler else TURN_STATE_FAILED
        assert (end.turn_finished.state, end.attempt) == (state, 2)
        assert took < WITHIN_S


async def test_one_that_stands_still_keeps_its_turns(postgres: Postgres, tmp_path: Path) -> None:
    """While its lease runs: when it goes on, so do they, and it is still their first attempt."""
    async with (
        _two(postgres, tmp_path) as (first, second),
        first.client() as one,
        second.client() as other,
    ):
        where = (await one.create_conversation()).conversation_id
        await one.dispatch(where, WORDS, handler="echo")
        await _seen(other, where, _is_text)
        first.signal(signal.SIGSTOP)
        await asyncio.sleep(FROZEN_S)
        first.signal(signal.SIGCONT)
        end = await _seen(other, where, _is_end)
        assert (end.turn_finished.state, end.attempt) == (TURN_STATE_SUCCEEDED, 1)


async def test_one_whose_session_ends_lives(postgres: Postgres, tmp_path: Path) -> None:
    """Postgres may end it at any time, again and again: the server listens, and so it is there."""
    async with (
        _two(postgres, tmp_path, LATE) as (first, second),
        first.client() as one,
        second.client() as other,
    ):
        where = (await one.create_conversation()).conversation_id
        await one.dispatch(where, "think about it")
        await _seen(other, where, lambda event: event.HasField("turn_started"))
        for _ in range(LOOKS):
            await postgres.run(CUT)
            await asyncio.sleep(FROZEN_S / LOOKS)
        end = await _seen(other, where, _is_end)
        assert (end.turn_finished.state, end.attempt) == (TURN_STATE_SUCCEEDED, 1)
