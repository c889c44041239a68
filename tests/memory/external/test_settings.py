"""What an operator writes of a memory of others is looked at when the server starts."""

import msgspec
import pytest

from antiphon_server.memory.external.settings import ExternalMemorySettings
from antiphon_server.settings import Settings

ARCHIVE = {"name": "archive", "grpc": "http://127.0.0.1:50052"}


@pytest.mark.parametrize(
    ("connections", "words"),
    [([], "has none that is called archive"), ([ARCHIVE], "has to be private")],
)
def test_it_needs_a_private_connection(connections: list[object], words: str) -> None:
    """Any other has tools that members of all workspaces call."""
    given = {"connections": connections, "external_memory": {"connection": "archive"}}
    with pytest.raises(msgspec.ValidationError, match=words):
        msgspec.convert(given, Settings)
    given["connections"] = [{**ARCHIVE, "private": True}]
    assert msgspec.convert(given, Settings).external_memory == ExternalMemorySettings("archive")
