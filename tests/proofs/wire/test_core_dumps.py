"""A server that crashes leaves no copy of its memory, where secrets are."""

import asyncio
import json
import signal
from pathlib import Path

import psutil
import pytest

from antiphon.integration.v1 import connection_pb2 as pb
from antiphon_client import Client
from tests.e2e.process import COMMAND, all_of
from tests.e2e.server import ServerProcess
from tests.e2e.until import PATIENCE_S, until
from tests.fakes.mcp_server import mcp_server

CANARY = "c4nary-of-a-crash"
DUMPING = ("sh", "-c", 'ulimit -c "$(ulimit -H -c)" && exec "$@"', "sh", *COMMAND)
PROGRAMS = {"clock": {"command": "mcp-server-time"}}
TOLD = {
    "ANTIPHON_EGRESS_ALLOW_NETWORKS": '["127.0.0.0/8"]',
    "ANTIPHON_PROGRAMS": json.dumps(PROGRAMS),
    "ANTIPHON_CONNECTIONS": json.dumps([{"name": "clock", "program": "clock"}]),
}


@pytest.mark.parametrize("number", [signal.SIGABRT, signal.SIGSEGV])
async def test_a_crash_leaves_no_memory_behind(tmp_path: Path, number: signal.Signals) -> None:
    """Neither the server nor its programs dump any, though whoever started it allows it."""
    allowed = await crashed(tmp_path, number, {})
    assert set(allowed) == {(1, 1)}
    assert len(allowed) > 1, "it has started no program"
    assert dumped(tmp_path) == {}


async def test_a_dump_has_secrets_where_it_is_wanted(tmp_path: Path) -> None:
    """The same crash with ``ANTIPHON_CORE_DUMPS``: so a dump would have been found."""
    allowed = await crashed(tmp_path, signal.SIGABRT, {"ANTIPHON_CORE_DUMPS": "true"})
    most = psutil.Process().rlimit(psutil.RLIMIT_CORE)[1]
    assert set(allowed) == {(most, most)}
    if most == psutil.RLIM_INFINITY and _in_the_folder():
        assert any(dumped(tmp_path).values())


async def crashed(
    folder: Path, number: signal.Signals, variables: dict[str, str]
) -> list[tuple[int, int]]:
    """Use a secret, then crash a program and the server; how much each might have dumped."""
    told = {**TOLD, **variables}
    server = ServerProcess(folder, variables=told, command=DUMPING, cwd=folder)
    async with mcp_server() as (outside, port), all_of([server]), server.client() as client:
        await _used(client, port)
        assert any(it.get("authorization") == f"Bearer {CANARY}" for _, it in outside.told)
        programs = psutil.Process(server.pid).children(recursive=True)
        processes = [psutil.Process(server.pid), *programs]
        allowed = [it.rlimit(psutil.RLIMIT_CORE) for it in processes]
        for it in programs:
            it.send_signal(number)
        # Dumps may all have one name, and the server's is to be the last.
        await asyncio.to_thread(psutil.wait_procs, programs, PATIENCE_S)
        server.signal(number)
        await until(lambda: server.exits == 1, PATIENCE_S)
    return allowed


async def _used(client: Client, port: int) -> None:
    await client.create_conversation()
    workspace = (await anext(client.list_workspaces())).workspace_id
    await client.put_secret(workspace, "it", CANARY)
    url = f"http://127.0.0.1:{port}/mcp"
    signed = pb.Credential(bearer="it")
    await client.create_connection(
        workspace, pb.Connection(name="wiki", mcp=pb.McpTarget(url=url), credential=signed)
    )
    await client.call_tool(workspace, "wiki.add", {"a": 1, "b": 2})
    assert (await client.test_connection(workspace, "clock")).status.tools == 2


def dumped(folder: Path) -> dict[str, bool]:
    """The dumps there, which are large and go, and whether each had the secret."""
    found = [it for it in folder.iterdir() if it.is_file() and it.name != "server.log"]
    told = {it.name: CANARY.encode() in it.read_bytes() for it in found}
    for it in found:
        it.unlink()
    return told


def _in_the_folder() -> bool:
    """Whether this machine writes dumps where the process was started."""
    pattern = Path("/proc/sys/kernel/core_pattern")
    return pattern.exists() and not pattern.read_text().startswith(("|", "/", "@"))
