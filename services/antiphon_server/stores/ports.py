"""Ports of programs that can't pick their own."""

import socket

HOST = "127.0.0.1"


def free_port() -> int:
    """One that is free now; whoever is quicker may take it before it is used."""
    with socket.create_server((HOST, 0)) as server:
        port: int = server.getsockname()[1]
        return port
