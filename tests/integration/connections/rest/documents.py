"""Documents for tests, and what comes of them."""

import json
from typing import Any

from antiphon_server.integration.connections.rest.documents import read
from antiphon_server.integration.connections.rest.model import Api
from antiphon_server.integration.connections.rest.operations import api
from antiphon_server.integration.connections.rest.requests import Request, request
from antiphon_server.integration.tools.model import (
    Call,
    Caller,
    Definition,
    SourceName,
    ToolCallId,
    ToolName,
)

ADDRESS = "https://api.example/v1/openapi.json"


def document(paths: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"openapi": "3.1.0", "info": {"title": "It", "version": "1"}, "paths": paths} | more


def swagger(paths: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"swagger": "2.0", "info": {"title": "It", "version": "1"}, "paths": paths} | more


def understood(given: Any, **options: Any) -> Api:
    text = given if isinstance(given, bytes) else json.dumps(given).encode()
    return api(read(text), SourceName("it"), **{"address": ADDRESS, **options})


def only(given: Any, **options: Any) -> tuple[Definition, dict[str, Any]]:
    """The only tool of a document, and its input schema."""
    (found,) = understood(given, **options).definitions.values()
    return found, json.loads(found.input_schema)


def sent(given: Any, arguments: dict[str, Any], **options: Any) -> Request:
    """What is sent for a call of the first tool."""
    found = understood(given, **options)
    name, operation = next(iter(found.operations.items()))
    return request(found, operation, call(name, arguments))


def call(tool: str, arguments: dict[str, Any] | None = None) -> Call:
    return Call(ToolCallId("call_1"), ToolName(tool), arguments or {}, Caller("ws_00000001"))
