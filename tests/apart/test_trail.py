"""Services tell an audit trail that is another process's, and that may be away."""

import asyncio
from pathlib import Path

import pytest

from antiphon_client import AntiphonError, Client, NotFound
from tests.apart.installation import installation
from tests.e2e.until import PATIENCE_S


async def stored(client: Client) -> list[str]:
    """The secrets of which the trail has that they were stored, the oldest first."""
    told = [it async for it in client.list_security_events()][::-1]
    return [it.secret_stored.name for it in told if it.HasField("secret_stored")]


async def until_stored(client: Client, names: list[str]) -> None:
    """Wait until the trail has just these."""
    async with asyncio.timeout(PATIENCE_S):
        while await stored(client) != names:  # noqa: ASYNC110
            await asyncio.sleep(0.1)


async def test_a_change_is_told_when_the_trail_is_back(tmp_path: Path) -> None:
    """It is made and answered meanwhile; it is told when both are there, by another life, too."""
    async with installation(tmp_path) as apart, apart.client() as client:
        await client.create_conversation(title="before")
        workspace = (await anext(client.list_workspaces())).workspace_id
        await client.put_secret(workspace, "first", "a value")
        await until_stored(client, ["first"])
        await apart.stop("auth")
        await client.put_secret(workspace, "second", "a value")
        await apart.start("auth")
        await apart.until_health("integration", "peer.auth", serves=True)
        async with apart.client() as again:
            await until_stored(again, ["first", "second"])
            await apart.stop("auth")
            await again.put_secret(workspace, "third", "a value")
            await apart.stop("integration")
            await apart.start("auth")
            await apart.start("integration")
        async with apart.client() as later:
            await until_stored(later, ["first", "second", "third"])


async def allowed(client: Client) -> list[str]:
    """The handlers of which the trail has that somebody's workers may serve them, in order."""
    told = [it async for it in client.list_security_events()][::-1]
    return [it.worker_allowed.handler for it in told if it.HasField("worker_allowed")]


async def test_the_dispatcher_tells_who_may_serve_what(tmp_path: Path) -> None:
    """It asks auth whether there is such a user: while that is away, more is only forbidden."""
    async with installation(tmp_path) as apart, apart.client() as client:
        program = (await client.create_user("reviewer", program=True)).user_id
        with pytest.raises(NotFound):
            await client.allow_worker("global", "first", "user_00000000")
        await client.allow_worker("global", "first", program)
        async with asyncio.timeout(PATIENCE_S):
            while await allowed(client) != ["first"]:  # noqa: ASYNC110
                await asyncio.sleep(0.1)
        await apart.stop("auth")
        with pytest.raises(AntiphonError):
            await client.allow_worker("global", "second", program)
        await client.forbid_worker("global", "first", program)
        assert [it async for it in client.list_worker_permissions("global")] == []
