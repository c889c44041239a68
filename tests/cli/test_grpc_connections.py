"""``antiphon connections add --grpc``: with and without a descriptor set."""

import asyncio
import json
from base64 import b64decode
from functools import partial
from hashlib import sha256
from pathlib import Path
from subprocess import CompletedProcess

from tests.cli.conftest import Home
from tests.integration.connections.grpc_calls.things import SERVICE, SET, Things, serving

OPEN = json.dumps(["127.0.0.0/8"])


async def test_a_server_that_tells_nothing_is_described_by_a_file(
    home: Home, tmp_path: Path
) -> None:
    """The command says that one is needed, and how to make it; then its tools are there."""
    run = partial(home.run, ANTIPHON_EGRESS_ALLOW_NETWORKS=OPEN)
    file = tmp_path / "things.binpb"
    file.write_bytes(SET)

    async def ran(*words: str) -> "CompletedProcess[str]":
        return await asyncio.to_thread(run, *words)

    await ran("chat", "--once", "hello", "--handler", "echo")
    async with serving(Things(), []) as port:
        add = ("connections", "add", "things", "--grpc", f"http://127.0.0.1:{port}")
        mute = await ran(*add)
        assert "things is down (DESCRIPTORS_REQUIRED), 0 tools" in mute.stdout
        assert "--descriptors FILE" in mute.stderr
        await ran("connections", "delete", "things")
        described = await ran(*add, "--descriptors", str(file), "--service", SERVICE)
        assert described.stdout == "things is up, 2 tools\n", described.stderr
        listed = json.loads((await ran("connections", "list", "--json")).stdout)["grpc"]
        assert listed["services"] == [SERVICE]
        assert "descriptor_set" not in listed
        assert b64decode(listed["descriptor_set_sha256"]) == sha256(SET).digest()


def test_what_can_not_be_sent_says_why(home: Home, tmp_path: Path) -> None:
    """Nobody is asked for it."""
    add = ("connections", "add", "x", "--grpc", "https://x.example", "--descriptors")
    large, empty = tmp_path / "large", tmp_path / "empty"
    large.write_bytes(bytes(2 << 20))
    empty.touch()
    for file, why in ((large, "longer than 1 MiB"), (empty, "empty"), (tmp_path / "x", "No such")):
        refused = home.run(*add, str(file))
        assert (refused.returncode, why in refused.stderr) == (2, True)
    elsewhere = home.run("connections", "add", "x", "--mcp", "https://x.example", "--service", "a")
    assert (elsewhere.returncode, "belong to --grpc" in elsewhere.stderr) == (2, True)
