"""A change that can't be told is seen by who looks after the server, and the server serves on."""

import asyncio
import json
import sqlite3
from asyncio.subprocess import DEVNULL, PIPE
from contextlib import closing
from pathlib import Path
from typing import Any

import aiohttp
import psutil

from tests.e2e.process import COMMAND
from tests.e2e.server import ServerProcess

PARTS = ("outbox.log", "outbox.trail")
DAMAGE = "INSERT INTO context_outbox (entry_id, body) VALUES ('out_x', X'FF')"


async def stored(server: ServerProcess, statement: str) -> list[Any]:
    """Ask or change what a server that does not run has stored."""

    def work() -> list[Any]:
        with closing(sqlite3.connect(server.data_dir / "antiphon.db")) as database, database:
            return database.execute(statement).fetchall()

    return await asyncio.to_thread(work)


async def bad(server: ServerProcess) -> list[str]:
    """The remedies of what the doctor finds bad of outboxes."""
    ask = ("doctor", "--json", "-a", server.address, "--data-dir", str(server.data_dir))
    process = await asyncio.create_subprocess_exec(*COMMAND, *ask, stdout=PIPE, stderr=DEVNULL)
    printed, _ = await process.communicate()
    found = [json.loads(line) for line in printed.splitlines()]
    outboxes = [it for it in found if "outbox" in it["check"]]
    assert len(outboxes) == len(PARTS)
    return [it["remedy"] for it in outboxes if it["verdict"] == "bad"]


async def metric(server: ServerProcess, name: str) -> float:
    """What the admin port says."""
    connections = psutil.Process(server.pid).net_connections("tcp")
    listening = {each.laddr.port for each in connections if each.status == psutil.CONN_LISTEN}
    (port,) = listening - {server.port}
    url = f"http://127.0.0.1:{port}/metrics"
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        lines = (await answer.text()).splitlines()
    (value,) = [line.split()[1] for line in lines if line.startswith(f"{name} ")]
    return float(value)


async def test_who_looks_after_the_server_sees_it(tmp_path: Path) -> None:
    """By health, the doctor, a metric and the log; it is tried again at each start."""
    async with ServerProcess(tmp_path) as server:
        assert await bad(server) == []
        await server.terminate()
        await stored(server, DAMAGE)
        await server.start()
        async with server.client() as client:
            parts = await client.health(PARTS)
            assert (parts["outbox.log"], parts["outbox.trail"], parts[""]) == (False, True, True)
            made = await client.create_conversation("others are told")
            scope = f"conversations/{made.conversation_id}"
            first = await anext(aiter(client.follow(scope, earliest=True)))
            assert first.HasField("conversation_created")
        assert await metric(server, "antiphon_outbox_log_set_aside") == 1
        (remedy,) = await bad(server)
        assert "docs/guides/production.md" in remedy
        await server.terminate()
        assert server.output.count("entry out_x of the outbox") == 1
        rows = await stored(server, "SELECT outbox, entry_id, why FROM context_outbox_set_aside")
        assert rows == [("context_outbox", "out_x", "INVALID_ARGUMENT")]
        await stored(server, "DELETE FROM context_outbox_set_aside")
        await server.start()
        assert await bad(server) == []
