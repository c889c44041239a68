"""``python -m tests.proofs.bench.floors [--port P] PART[=ARGUMENT] …``: one bare server.

Parts: ``health`` (always there), ``relay=URL``, ``unary``, ``echo``, ``delivery``,
``ring=EVENTS``, ``forward=ADDRESS``. Each is imported only where it is asked for, so that a
bare server stays bare.
"""

import argparse
import asyncio
from typing import TYPE_CHECKING

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_health.v1.health import aio

if TYPE_CHECKING:
    from collections.abc import Callable


def _relay(server: grpc.aio.Server, url: str) -> None:
    from tests.proofs.bench.floors.relay import add

    add(server, url)


def _unary(server: grpc.aio.Server, _: str) -> None:
    from tests.proofs.bench.floors.unary import add

    add(server)


def _echo(server: grpc.aio.Server, _: str) -> None:
    from tests.proofs.bench.floors.echo import add

    add(server)


def _ring(server: grpc.aio.Server, prefilled: str) -> None:
    from tests.proofs.bench.floors.ring import add

    add(server, int(prefilled or 0))


def _delivery(server: grpc.aio.Server, _: str) -> None:
    from tests.proofs.bench.floors.delivery import add

    add(server)


def _forward(server: grpc.aio.Server, address: str) -> None:
    from tests.proofs.bench.floors.forward import add

    add(server, address)


PARTS: "dict[str, Callable[[grpc.aio.Server, str], None]]" = {
    "relay": _relay,
    "unary": _unary,
    "echo": _echo,
    "ring": _ring,
    "delivery": _delivery,
    "forward": _forward,
}


async def _serve(port: int, parts: list[str]) -> None:
    server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
    health = aio.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(health, server)
    for part in parts:
        name, _, argument = part.partition("=")
        PARTS[name](server, argument)
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
