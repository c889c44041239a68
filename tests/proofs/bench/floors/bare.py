"""Registers single methods, without the rest of their service."""

from typing import Any

import grpc


def add_methods(server: grpc.aio.Server, service: str, **methods: Any) -> None:
    """Serve ``methods`` (handlers by name) of a service."""
    handler = grpc.method_handlers_generic_handler(service, methods)
    server.add_generic_rpc_handlers((handler,))
