"""OpenAPI documents of the command line: by their address, or as files."""

from pathlib import Path
from typing import TYPE_CHECKING

from antiphon_server.cli.console import fail

if TYPE_CHECKING:
    from antiphon.integration.v1.connection_pb2 import OpenApiTarget

LARGEST = 1 << 20
"""What the contract takes of a document itself."""


def openapi_of(given: str, base_url: str) -> "OpenApiTarget":
    """The target; a file is sent along, and ends the command if it can't be read."""
    from antiphon.integration.v1.connection_pb2 import OpenApiTarget

    if given.startswith(("http://", "https://")):
        return OpenApiTarget(url=given, base_url=base_url)
    try:
        document = Path(given).read_bytes()
    except OSError as error:
        fail(f"{given}: {error.strerror}; say https://… for one that is elsewhere", 2)
    if len(document) > LARGEST:
        fail(f"{given}: longer than 1 MiB; give the address where the server finds it", 2)
    return OpenApiTarget(document=document, base_url=base_url)
