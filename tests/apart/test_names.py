"""Members have names while the accounts' service is away, and never old ones for long."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
import pytest_asyncio

from antiphon_client import Client, Password
from antiphon_client.errors import NotFound
from antiphon_server.installation import NAMES
from antiphon_server.runtime.cache.cache import ALONE_S
from antiphon_server.runtime.configuration import Secret
from tests.apart.installation import Installation
from tests.fakes.valkey import Valkey
from tests.proofs.bench.processes import free_port

pytestmark = pytest.mark.asyncio(loop_scope="module")
PASSWORD = "correct horse battery"
RESYNC_S = 2.0
REST = tuple(name for name in NAMES if name != "auth")


@dataclass(slots=True)
class Sides:
    """Auth, all other services in another server, their Redis, and the local operator."""

    apart: Installation
    valkey: Valkey
    client: Client


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def sides(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Sides]:
    """For the tests of this file, which leave both running."""
    home = tmp_path_factory.mktemp("names")
    ports = dict.fromkeys(REST, free_port()) | {"auth": free_port()}
    async with (
        Valkey() as valkey,
        Installation(home, {"redis_url": Secret(valkey.url)}, ports=ports) as apart,
    ):
        async with asyncio.TaskGroup() as starting:
            starting.create_task(apart.start("auth"))
            starting.create_task(apart.start("context", services=REST))
        await apart.connected()
        async with apart.client() as client:
            yield Sides(apart, valkey, client)


async def names(client: Client, resource: str) -> list[str]:
    """What the members of a resource are called, in alphabetical order."""
    return sorted([each.display_name async for each in client.list_members(resource)])


async def conversation_with(client: Client, *called: str) -> str:
    """A conversation of the local operator and people of these names, in small letters."""
    made = await client.create_conversation(title="names")
    for name in called:
        user = await client.create_user(name.lower(), display_name=name)
        await client.add_member(made.conversation_id, user.user_id, "viewer")
    return made.conversation_id


async def rename(client: Client, name: str, display_name: str) -> None:
    """Call somebody otherwise."""
    user = await client.get_user(name)
    await client.update_user(user.user_id, display_name=display_name)


async def test_names_are_known_while_auth_is_away(sides: Sides) -> None:
    """To those who may list members, and to nobody else."""
    client, apart = sides.client, sides.apart
    conversation = await conversation_with(client, "Ann", "Bob")
    await client.create_user("dan", PASSWORD)
    async with apart.client(Password("dan", PASSWORD)) as dan:
        await dan.tokens.get()
        assert await names(client, conversation) == ["Ann", "Bob", "Local operator"]
        await apart.stop("auth")
        assert await names(client, conversation) == ["Ann", "Bob", "Local operator"]
        with pytest.raises(NotFound):
            await names(dan, conversation)
        await apart.start("auth")
        await apart.connected()


async def test_another_server_shows_a_new_name_at_once(sides: Sides) -> None:
    """Also while Redis hangs, and when it is back, though nobody could say so meanwhile."""
    client = sides.client
    conversation = await conversation_with(client, "Cat")
    for name in ("Kat", "Kate"):
        await rename(client, "cat", name)
        assert await names(client, conversation) == [name, "Local operator"]
    sides.valkey.freeze()
    await rename(client, "cat", "Katja")
    assert await names(client, conversation) == ["Katja", "Local operator"]
    sides.valkey.thaw()
    back = time.monotonic()
    while time.monotonic() - back < RESYNC_S:
        seen = await names(client, conversation)
        await asyncio.sleep(0.05)
    assert seen == ["Katja", "Local operator"]


async def test_names_that_nobody_takes_back_are_remembered_for_a_second(sides: Sides) -> None:
    """An auth service without the others' Redis says so of what it tells."""
    client, apart = sides.client, sides.apart
    await apart.stop("auth")
    await apart.start("auth", redis_url=None)
    await apart.connected()
    conversation = await conversation_with(client, "Eve")
    assert await names(client, conversation) == ["Eve", "Local operator"]
    await rename(client, "eve", "Eva")
    await asyncio.sleep(ALONE_S + 0.1)
    assert await names(client, conversation) == ["Eva", "Local operator"]
