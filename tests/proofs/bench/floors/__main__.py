"""``python -m tests.proofs.bench.floors [--port P] PART[=ARGUMENT] …``: one bare server.

Parts: ``health`` (always there), ``relay=URL``, ``unary``, ``echo``, ``delivery``,
``ring=EVENTS``, ``forward=ADDRESS``, ``a2a=URL`` (where a2a-sdk is). Each is imported only
where it is asked for, so that a bare server stays bare.
"""

import argparse
import asyncio
import importlib

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_health.v1.health import aio


async def _serve(port: int, parts: list[str]) -> None:
    server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
    health = aio.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(health, server)
    for part in parts:
        name, _, argument = part.partition("=")
        importlib.import_module(f"tests.proofs.bench.floors.{name}").add(server, argument)
    server.add_insecure_port(f"127.0.0.1:{port}")
    await server.start()
    await health.set("", health_pb2.HealthCheckResponse.SERVING)
    await server.wait_for_termination()


def main() -> None:
    """Serve until ended."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("parts", nargs="*")
    arguments = parser.parse_args()
    asyncio.run(_serve(arguments.port, arguments.parts))


if __name__ == "__main__":
    main()
