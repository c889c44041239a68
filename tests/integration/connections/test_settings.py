"""What an operator writes of connections is looked at when the server starts."""

import msgspec
import pytest

from antiphon_server.integration.connections.settings import ConnectionSettings


def said_of(**members: object) -> str:
    """How settings with these members are refused."""
    with pytest.raises(msgspec.ValidationError) as refused:
        msgspec.convert({"name": "it", **members}, ConnectionSettings)
    return str(refused.value)


@pytest.mark.parametrize(
    ("members", "field"),
    [
        ({"openapi": "localhost:8091"}, "openapi"),
        ({"openapi": "http://localhost:8091", "base_url": "localhost:8091"}, "base_url"),
        ({"mcp": "localhost:8091/mcp"}, "mcp"),
        ({"mcp": "ws://localhost:8091/mcp"}, "mcp"),
        ({"websocket": "http://localhost:8091"}, "websocket"),
        ({"websocket": {"url": "localhost:8091"}}, "websocket"),
        ({"grpc": "localhost:50051"}, "grpc"),
        ({"grpc": {"address": "dns:///localhost:50051"}}, "grpc"),
    ],
)
def test_an_address_without_its_scheme_is_refused(members: dict[str, object], field: str) -> None:
    """By the connection's name and the field, with how it is written."""
    said = said_of(**members)
    assert f"connections: it: {field}: " in said
    assert "://localhost:8080" in said


def test_addresses_are_taken_as_they_are_written() -> None:
    """Of each kind, with and without encryption."""
    for members in (
        {"openapi": "http://localhost:8091/openapi.json", "base_url": "https://a.example"},
        {"mcp": "https://a.example/mcp"},
        {"websocket": {"url": "wss://a.example"}},
        {"websocket": "ws://127.0.0.1:1"},
        {"grpc": "http://[::1]:50051"},
        {"program": "time"},
    ):
        msgspec.convert({"name": "it", **members}, ConnectionSettings)


def test_a_variable_without_a_token_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that holds a token is taken."""
    signed = {"mcp": "https://a.example/mcp", "bearer_env": "TOKEN_OF_A_TEST"}
    assert "TOKEN_OF_A_TEST" in said_of(**signed)
    monkeypatch.setenv("TOKEN_OF_A_TEST", "secret")
    assert msgspec.convert({"name": "it", **signed}, ConnectionSettings).token == "secret"
