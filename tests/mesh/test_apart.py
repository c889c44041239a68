"""Services apart that call each other through Envoy, which knows where each is."""

import asyncio
import json
import re
from contextlib import AsyncExitStack
from pathlib import Path

from msgspec.structs import replace

from antiphon_client import ApiKey, Client
from tests.apart.installation import Installation
from tests.e2e.until import PATIENCE_S, until_it
from tests.mesh.commands import Command, output
from tests.mesh.nodes import HOST, PORTS, installation
from tests.proofs.bench.processes import free_port

SPLIT = (("auth", "context"), ("events", "integration", "dispatcher"))
SERVICES = tuple(name for names in SPLIT for name in names)


def served(names: tuple[str, ...], home: Path, variables: dict[str, str]) -> Command:
    """A process with some services."""
    told = ("--port", "0", "--data-dir", str(home / "data"), "--model", "scripted/test")
    return Command(home / f"{names[0]}.log", variables, "serve", *names, *told)


async def test_a_turn_goes_through_all_of_them(tmp_path: Path) -> None:
    """A client converses at the edge; no process knows the address of another one.

    Before all of them are there, it is said which are not.
    """
    home = tmp_path
    ports = replace(PORTS, inside_port=free_port())
    async with AsyncExitStack() as stack:
        at = await stack.enter_async_context(installation(home / "mesh", ports))
        inside = dict.fromkeys(SERVICES, f"{HOST}:{ports.inside_port}")
        variables = {
            "ANTIPHON_REGISTRY": at.registry,
            "ANTIPHON_SECRET_KEY_FILE": str(home / "mesh" / "auth.key"),
            "ANTIPHON_PEERS": json.dumps(inside),
            "ANTIPHON_BEHIND_PROXY": "true",
        }
        here, away = SPLIT
        await stack.enter_async_context(served(here, home, variables))
        await until_it(lambda: at.knows(*here))
        async with asyncio.timeout(PATIENCE_S):
            key = ApiKey(await asyncio.to_thread(_operator_key, home / "data"))
            async with Client.connect(str(at.mesh.edge), key) as client:
                await client.who_am_i()
        await _nobody_offers(away, str(at.mesh.edge), home)
        await stack.enter_async_context(served(away, home, variables))
        await until_it(lambda: at.knows(*SERVICES))
        async with asyncio.timeout(PATIENCE_S):
            async with Client.connect(str(at.mesh.edge), key) as client:
                conversation = (await client.create_conversation("apart")).conversation_id
                async with client.converse(conversation) as live:
                    turn = await live.post("hello", handler="echo")
                    assert (await turn.result()).text


async def _nobody_offers(names: tuple[str, ...], edge: str, home: Path) -> None:
    """`mesh status`, `doctor` and a chat that waits name them, and the login is not blamed."""
    at = ("-a", edge, "--data-dir", str(home / "data"))
    variables = {"XDG_STATE_HOME": str(home)}
    (code, listed), (ill, found), _ = await asyncio.gather(
        output(variables, "mesh", "status", *at),
        output(variables, "doctor", *at),
        _chat_waits(home, variables, "the service dispatcher is away, trying again", *at),
    )
    assert (code, ill) == (1, 1)
    for name in names:
        assert re.search(rf"^{name} +nobody", listed, re.MULTILINE), listed
        assert f"service {name}: nobody offers it" in found, found
    assert "login: you are local" in found
    assert "model: the service integration is away" in found


async def _chat_waits(home: Path, variables: dict[str, str], said: str, *at: str) -> None:
    async with Command(home / "chat.log", variables, "chat", "--once", "hello", *at) as chat:
        await chat.says(said)


async def test_who_can_not_tell_tokens_is_not_called(tmp_path: Path) -> None:
    """A server far from auth takes its place when it knows whom to let in, and not before."""
    async with installation(tmp_path / "mesh") as at:
        key_file = tmp_path / "mesh" / "auth.key"
        apart = Installation(
            tmp_path,
            {"registry": at.registry, "secret_key": None, "secret_key_file": key_file},
        )
        try:
            await apart.start("events")
            await asyncio.sleep(1.0)
            assert not at.mesh.known()
            await apart.start("auth")
            await until_it(lambda: at.knows("events"), 20)
            assert await apart.health("events", "tokens")
            assert await apart.health("events", "identities")
        finally:
            await apart.stop_all()


def _operator_key(folder: Path) -> str:
    [file] = folder.rglob("operator.key")
    return file.read_text().strip()
