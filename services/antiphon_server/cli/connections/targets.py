"""Where a connection leads to, as the command line and files beside it say."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from google.protobuf.json_format import ParseDict, ParseError

from antiphon.integration.v1.connection_pb2 import GrpcTarget, OpenApiTarget, WebSocketTarget
from antiphon_server.cli.console import fail
from antiphon_server.runtime.net.loopback import is_loopback

LARGEST = 1 << 20
"""What the contract takes of a document or a descriptor set itself."""
_AS_TEXT = ("input_schema", "request")


def whole(url: str, option: str, scheme: str = "http") -> str:
    """The URL; one without a scheme ends the command with how it is written."""
    if url and "://" not in url:
        secure = "" if is_loopback(_host(url)) else "s"
        fail(f'{option}: "{url}" is no URL; write {scheme}{secure}://{url}', 2)
    return url


def _host(url: str) -> str:
    try:
        return urlsplit(f"//{url}").hostname or ""
    except ValueError:
        return ""


def openapi_of(given: str, base_url: str) -> OpenApiTarget:
    """The target; a file is sent along, and ends the command if it can't be read."""
    if given.startswith(("http://", "https://")):
        return OpenApiTarget(url=given, base_url=base_url)
    try:
        document = Path(given).read_bytes()
    except OSError as error:
        fail(f"{given}: {error.strerror}; say https://… for one that is elsewhere", 2)
    if len(document) > LARGEST:
        fail(f"{given}: longer than 1 MiB; give the address where the server finds it", 2)
    return OpenApiTarget(document=document, base_url=base_url)


def grpc_of(address: str, services: Sequence[str], descriptors: Path | None) -> GrpcTarget:
    """The target; the file is sent along, and ends the command if it can't be read."""
    wanted = GrpcTarget(address=address, services=services)
    if descriptors is None:
        return wanted
    try:
        found = descriptors.read_bytes()
    except OSError as error:
        fail(f"{descriptors}: {error.strerror}", 2)
    if not found:
        fail(f"{descriptors}: empty", 2)
    if len(found) > LARGEST:
        fail(f"{descriptors}: longer than 1 MiB; leave --include_source_info away", 2)
    wanted.descriptor_set = found
    return wanted


def web_socket_of(url: str, tools: Path | None) -> WebSocketTarget:
    """The target: the file is a list of tools, or an object with the fields of the contract.

    Schemas and requests may be JSON itself there.
    """
    try:
        told = {"tools": []} if tools is None else json.loads(tools.read_text("utf-8"))
        whole = told if isinstance(told, dict) else {"tools": told}
        listed = [_spelled(tool) for tool in whole.get("tools", [])]
        return ParseDict({**whole, "tools": listed, "url": url}, WebSocketTarget())
    except (OSError, ValueError, TypeError, AttributeError, ParseError) as error:
        fail(f"the file of tools can't be read: {error}", 2)


def _spelled(tool: dict[str, Any]) -> dict[str, Any]:
    return {
        name: json.dumps(value) if name in _AS_TEXT and isinstance(value, dict) else value
        for name, value in tool.items()
    }
