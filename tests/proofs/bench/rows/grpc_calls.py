"""What a call of a gRPC server's method costs beside the bare call; the server is one in Go."""

import asyncio

from tests.e2e.process import HOST, listens
from tests.go_programs import installed
from tests.proofs.bench.bench import Bench
from tests.proofs.bench.figures import Figure
from tests.proofs.bench.processes import free_port
from tests.proofs.bench.rows.tools import Counterpart, overheads

PATH = "/testing.TestService/UnaryCall"
# SimpleRequest: its payload (3) has a body (2) of 24 bytes.
BODY = bytes([0x1A, 26, 0x12, 24]) + bytes(range(24))
ARGUMENTS = {"payload": {"body": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYX"}}


async def tool_grpc(bench: Bench) -> list[Figure]:
    """Calls of grpcurl's test server, which answers with what it was told."""
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        *(str(await installed("testserver")), "-q", "-p", str(port)),
        stdout=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(30):
            while not await listens(port):  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        connections = [{"name": "it", "grpc": f"http://{HOST}:{port}"}]
        given = {"address": f"{HOST}:{port}", "path": PATH, "body": BODY.hex()}
        tool = "it.TestService.UnaryCall"
        told = Counterpart("tool-grpc", tool, ARGUMENTS, connections, "grpc_calls", given)
        return await overheads(bench, told)
    finally:
        process.kill()
        await process.wait()
