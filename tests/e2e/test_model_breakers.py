"""A model that is asked no more: on all servers, and everybody who has to know hears of it."""

import asyncio
import base64
import os
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from functools import partial
from pathlib import Path

import pytest

from antiphon.auth.v1.audit_pb2 import BreakerSwitched
from antiphon.events.v1.event_pb2 import ModelChanged
from antiphon.integration.v1.model_pb2 import BREAKER_STATE_CLOSED, BREAKER_STATE_OPEN, Model
from antiphon_client import AntiphonError, Client, Password
from tests.e2e.process import all_of
from tests.e2e.server import ServerProcess, openai_model
from tests.e2e.until import PATIENCE_S, until_it
from tests.fakes.openai_endpoint import Behaviour, FakeEndpoint
from tests.fakes.postgres import Postgres

NAME, PART = "fake/model", "model.fake/model"
PASSWORD = Password("ann", "a long sentence of ann")
PROMISED_S = 2.0
"""So soon every server does what an operator said at one of them."""


async def _model(client: Client) -> Model:
    return await anext(client.list_models())


async def _told(client: Client, count: int) -> list[ModelChanged]:
    """So many of the changes in the log that everybody may read, the oldest first."""
    seen: list[ModelChanged] = []
    events = aiter(client.follow("global", earliest=True))
    async with asyncio.timeout(PATIENCE_S), aclosing(events):
        async for event in events:
            if event.HasField("model_changed"):
                seen.append(event.model_changed)
            if len(seen) == count:
                return seen
    raise AssertionError


async def _fails(client: Client) -> str:
    """The reason why a turn failed."""
    where = (await client.create_conversation()).conversation_id
    async with client.converse(where) as talk:
        result = await (await talk.post("hello", models=[NAME])).result()
    return "" if result.error is None else result.error.reason


@asynccontextmanager
async def _server(
    home: Path, endpoint: FakeEndpoint
) -> AsyncIterator[tuple[ServerProcess, Client]]:
    server = ServerProcess(home, models=[openai_model(NAME, endpoint.base_url)])
    async with all_of([server]), server.client() as client:
        yield server, client


async def test_a_model_that_fails_is_told_everywhere(tmp_path: Path) -> None:
    """In health and in the log; what its provider said to operators alone."""
    async with FakeEndpoint(Behaviour("503")) as endpoint, _server(tmp_path, endpoint) as at:
        server, boss = at
        assert (await boss.health([PART]))[PART]
        for _ in range(2):
            assert await _fails(boss) == "MODEL_UNAVAILABLE"
        assert not (await boss.health([PART]))[PART]
        assert (await boss.health([]))[""]
        (told,) = await _told(boss, 1)
        assert told == ModelChanged(
            model=NAME, breaker=BREAKER_STATE_OPEN, error_reason="MODEL_UNAVAILABLE"
        )
        failure = (await _model(boss)).last_failure
        assert (failure.error_reason, failure.provider_status) == ("MODEL_UNAVAILABLE", 503)
        assert "canary" in failure.provider_message
        await boss.create_user(PASSWORD.name, PASSWORD.password)
        async with server.client(PASSWORD) as ann:  # type: ignore[arg-type]
            failure = (await _model(ann)).last_failure
            assert (failure.error_reason, failure.provider_status) == ("MODEL_UNAVAILABLE", 0)
            assert failure.provider_message == ""
            with pytest.raises(AntiphonError) as refused:
                await ann.set_model_breaker(NAME, BREAKER_STATE_CLOSED)
            assert refused.value.reason == "PERMISSION_DENIED"
        endpoint.behaviour = Behaviour()
        assert (await boss.set_model_breaker(NAME, BREAKER_STATE_CLOSED)).breaker == (
            BREAKER_STATE_CLOSED
        )
        assert await _fails(boss) == ""
        assert (await _told(boss, 2))[1] == ModelChanged(model=NAME, breaker=BREAKER_STATE_CLOSED)


async def test_what_is_opened_by_hand_is_so_after_a_start(tmp_path: Path) -> None:
    """Who did it stands in the audit trail; asked twice, once."""
    async with FakeEndpoint() as endpoint, _server(tmp_path, endpoint) as (server, client):
        for _ in range(2):
            assert (await client.set_model_breaker(NAME, BREAKER_STATE_OPEN)).breaker_by_hand
        assert await _fails(client) == "MODEL_UNAVAILABLE"
        me = (await client.who_am_i()).user.user_id
        await server.restart()
        async with server.client() as client:
            assert (await _model(client)).breaker_by_hand
            assert not (await client.health([PART]))[PART]
            assert await _fails(client) == "MODEL_UNAVAILABLE"
            await client.set_model_breaker(NAME, BREAKER_STATE_CLOSED)
            assert await _fails(client) == ""
            told = [
                (it.actor, it.breaker_switched)
                async for it in client.list_security_events()
                if it.HasField("breaker_switched")
            ]
        assert told == [
            (f"users/{me}", BreakerSwitched(resource=f"models/{NAME}", open=False)),
            (f"users/{me}", BreakerSwitched(resource=f"models/{NAME}", open=True)),
        ]
        assert len(endpoint.seen) == 1


async def test_it_holds_for_all_servers(tmp_path: Path, postgres: Postgres) -> None:
    """Within two seconds, whichever of them is told."""
    variables = {
        "ANTIPHON_DATABASE_URL": await postgres.database(),
        "ANTIPHON_SECRET_KEY": base64.b64encode(os.urandom(32)).decode(),
    }
    async with FakeEndpoint() as endpoint:
        models = [openai_model(NAME, endpoint.base_url)]
        first, second = (
            ServerProcess(tmp_path / it, models=models, variables=variables) for it in "ab"
        )
        async with (
            all_of([first]),
            all_of([second]),
            first.client() as one,
            second.client(first.key) as other,
        ):
            took = []
            for said_at, seen_at in ((one, other), (other, one)):
                await said_at.set_model_breaker(NAME, BREAKER_STATE_OPEN)
                took.append(await until_it(partial(_is_by_hand, seen_at, True)))
                assert [await _fails(it) for it in (one, other)] == ["MODEL_UNAVAILABLE"] * 2
                await seen_at.set_model_breaker(NAME, BREAKER_STATE_CLOSED)
                took.append(await until_it(partial(_is_by_hand, said_at, False)))
            assert max(took) < PROMISED_S
            assert not endpoint.seen
            assert [await _fails(it) for it in (one, other)] == [""] * 2


async def _is_by_hand(client: Client, wanted: bool) -> bool:
    return (await _model(client)).breaker_by_hand is wanted
