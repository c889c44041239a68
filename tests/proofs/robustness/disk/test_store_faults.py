"""What a server does, and says, while its disk refuses: each fault alone, through a real one."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from antiphon_client import AntiphonError, Client, text_of
from tests.e2e.server import ServerProcess
from tests.proofs.robustness.disk.injection import Refusal, refused_from_the_start, refusing

pytestmark = [
    pytest.mark.needs("strace"),
    pytest.mark.proof,
    pytest.mark.asyncio(loop_scope="module"),
]
NO_SYNC = [Refusal("fdatasync", "EIO")]
NO_SPACE = [Refusal("pwrite64", "ENOSPC")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ServerProcess]:
    """A server with a store of its own."""
    async with ServerProcess(tmp_path_factory.mktemp("server")) as server:
        yield server


@pytest.mark.parametrize("refusals", [NO_SYNC, NO_SPACE], ids=["EIO", "ENOSPC"])
async def test_what_was_refused_is_not_there_after_a_kill(
    server: ServerProcess, tmp_path: Path, refusals: list[Refusal]
) -> None:
    """A post that was answered by "nothing was stored" does not return, even by kill -9."""
    async with server.client() as client:
        conversation = (await client.create_conversation()).conversation_id
        await client.post_message(conversation, "kept")
        async with refusing(server.pid, refusals, tmp_path / "trace"):
            error = await refusal_of(client, conversation)
            await server.kill()
        assert (error.code.name, error.reason) == ("UNAVAILABLE", "STORE_UNAVAILABLE")
    await server.start()
    async with server.client() as client:
        assert await texts(client, conversation) == ["kept"]
        await client.post_message(conversation, "after")
        assert await texts(client, conversation) == ["after", "kept"]


@pytest.mark.parametrize("refusals", [NO_SYNC, NO_SPACE], ids=["EIO", "ENOSPC"])
async def test_health_says_whether_the_store_can_be_written(
    server: ServerProcess, tmp_path: Path, refusals: list[Refusal]
) -> None:
    """NOT_SERVING while writes fail, SERVING again when they could succeed, by itself."""
    async with server.client() as client:
        conversation = (await client.create_conversation()).conversation_id
        assert (await client.health(["store"]))["store"]
        async with refusing(server.pid, refusals, tmp_path / "trace"):
            await refusal_of(client, conversation)
            await health_becomes(client, serving=False)
        await health_becomes(client, serving=True)
        await client.post_message(conversation, "after")
        assert await texts(client, conversation) == ["after"]


async def test_health_turns_under_traffic_too(server: ServerProcess, tmp_path: Path) -> None:
    """The first commit that succeeds says that the store can be written."""
    async with server.client() as client:
        conversation = (await client.create_conversation()).conversation_id
        async with refusing(server.pid, NO_SYNC, tmp_path / "trace"):
            await refusal_of(client, conversation)
        async with asyncio.timeout(5):
            while not (await client.health(["store"]))["store"]:
                await client.post_message(conversation, "traffic")
                await asyncio.sleep(0.02)


@pytest.mark.parametrize("refusals", [NO_SYNC, NO_SPACE], ids=["EIO", "ENOSPC"])
async def test_a_server_does_not_start_on_a_disk_that_refuses(
    tmp_path: Path, refusals: list[Refusal]
) -> None:
    """It ends at once, and says why in a sentence."""
    server = ServerProcess(tmp_path, command=refused_from_the_start(refusals))
    process = await server.spawn()
    async with asyncio.timeout(20):
        assert await process.wait() == 1
    assert "the disk refuses the data" in server.output.splitlines()[-1]


async def refusal_of(client: Client, conversation: str) -> AntiphonError:
    """What a post is answered by that is made once."""
    with pytest.raises(AntiphonError) as refused:
        async with asyncio.timeout(20):
            await client.post_message(conversation, "refused")
    return refused.value


async def health_becomes(client: Client, *, serving: bool) -> None:
    """Wait for the store's and the whole's health. Raises TimeoutError."""
    async with asyncio.timeout(10):
        while True:
            health = await client.health(["store"])
            if health["store"] is health[""] is serving:
                return
            await asyncio.sleep(0.05)


async def texts(client: Client, conversation: str) -> list[str]:
    """What was said, the newest first."""
    return [text_of(message.parts) async for message in client.list_messages(conversation)]
