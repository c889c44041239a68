"""Two servers on one store search alike: what one has answered, the other one knows."""

import asyncio
import base64
import os
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
import pytest_asyncio

from antiphon.auth.v1.access_pb2 import ROLE_VIEWER
from antiphon_client import Client, Password
from tests.e2e.callers import PASSWORD
from tests.e2e.process import all_of
from tests.e2e.server import ServerProcess
from tests.fakes.postgres import Postgres

pytestmark = pytest.mark.asyncio(loop_scope="module")
ROUNDS = 10


@dataclass(frozen=True, slots=True)
class Pair:
    """Two servers: the operator at the first one, Anna at both."""

    operator: Client
    here: Client
    there: Client
    anna_id: str


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pair(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Pair]:
    """They share a Postgres, and nothing else: no Redis tells them anything."""
    variables = {
        "ANTIPHON_DATABASE_URL": await postgres.database(),
        "ANTIPHON_SECRET_KEY": base64.b64encode(os.urandom(32)).decode(),
    }
    home = tmp_path_factory.mktemp("servers")
    first, second = (ServerProcess(home / it, variables=variables) for it in "ab")
    async with all_of([first, second]), first.client() as operator:
        anna = await operator.create_user("anna", PASSWORD)
        async with (
            Client.connect(first.address, Password("anna", PASSWORD)) as here,
            Client.connect(second.address, Password("anna", PASSWORD)) as there,
        ):
            yield Pair(operator, here, there, anna.user_id)
        assert first.defects == second.defects == []


async def found(client: Client, query: str, *conversation_ids: str) -> list[str]:
    """The excerpts of the hits."""
    answer = await client.search_messages(query, conversation_ids=conversation_ids)
    assert answer.pending_conversations == 0
    return [hit.excerpt for hit in answer.hits]


async def test_what_is_said_at_one_is_found_at_the_other_at_once(pair: Pair) -> None:
    """At the first try, by whoever searches there, also while much is said."""
    where = (await pair.here.create_conversation()).conversation_id

    async def say_and_find() -> None:
        word = f"{secrets.token_hex(6)}q"
        await pair.here.post_message(where, f"heron {word}")
        at_both = list(await asyncio.gather(found(pair.there, word), found(pair.here, word)))
        assert at_both == [[f"heron {word}"]] * 2

    for _ in range(ROUNDS):
        await asyncio.gather(*(say_and_find() for _ in range(4)))


async def test_who_is_removed_at_one_finds_nothing_at_the_other_at_once(pair: Pair) -> None:
    """And who is let in again finds all; each at the first try."""
    where = (await pair.operator.create_conversation()).conversation_id
    await pair.operator.post_message(where, "an egret")
    for _ in range(ROUNDS):
        await pair.operator.add_member(where, pair.anna_id, ROLE_VIEWER)
        assert await found(pair.there, "egret") == ["an egret"]
        await pair.operator.remove_member(where, pair.anna_id)
        assert await found(pair.there, "egret") == []
        assert await found(pair.there, "egret", where) == []
