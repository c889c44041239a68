"""Memories of others in this process, on real ports, called as connections call them."""

import importlib.util
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import aiohttp
import grpc
from aiohttp import web
from google.protobuf import json_format, message_factory

from antiphon.integration.v1.tool_service_pb2 import ConsultToolRequest, ConsultToolResponse
from antiphon.memory.v1 import external_memory_service_pb2
from antiphon.memory.v1.external_memory_service_pb2_grpc import (
    add_ExternalMemoryServiceServicer_to_server,
)
from antiphon_server.memory.adapters.consulting import Consulting
from antiphon_server.memory.adapters.external_contract import ContractMemory
from antiphon_server.memory.adapters.external_mem0 import Mem0Memory
from antiphon_server.memory.external.settings import Mem0Tools
from tests.memory.external.processes import EXAMPLES

SERVICE = external_memory_service_pb2.DESCRIPTOR.services_by_name["ExternalMemoryService"]


def example(name: str) -> ModuleType:
    """A module of the examples, new."""
    spec = importlib.util.spec_from_file_location(f"example_{name}", EXAMPLES / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class GrpcTools:
    """What a connection of kind grpc makes of ConsultTool: JSON in and out, fields of no value too.

    ``calls`` are the methods that were called.
    """

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._channel = channel
        self.calls: list[str] = []

    async def ConsultTool(self, request: ConsultToolRequest, timeout: float) -> ConsultToolResponse:
        method = SERVICE.methods_by_name[request.name.rpartition(".")[2]]
        self.calls.append(method.name)
        asked = message_factory.GetMessageClass(method.input_type)()
        json_format.Parse(request.arguments_json, asked)
        call: Any = self._channel.unary_unary(
            f"/{SERVICE.full_name}/{method.name}",
            request_serializer=lambda it: it.SerializeToString(),
            response_deserializer=message_factory.GetMessageClass(method.output_type).FromString,
        )
        try:
            answer = await call(asked, timeout=timeout)
        except grpc.aio.AioRpcError as error:
            return ConsultToolResponse(text=str(error.code()), failed=True)
        text = json_format.MessageToJson(answer, always_print_fields_with_no_presence=True)
        return ConsultToolResponse(text=text)


class HttpTools:
    """What a connection with an OpenAPI document makes of ConsultTool."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self._session, self._url = session, url
        names = Mem0Tools()
        self._operations = {
            names.add: ("POST", "/memories"),
            names.list: ("GET", "/memories"),
            names.delete: ("DELETE", "/memories/{memory_id}"),
            names.search: ("POST", "/search"),
        }

    async def ConsultTool(self, request: ConsultToolRequest, timeout: float) -> ConsultToolResponse:
        method, path = self._operations[request.name.partition(".")[2]]
        asked: dict[str, Any] = json.loads(request.arguments_json)
        body = asked.pop("body", None)
        url = self._url + path.format(**asked)
        query = asked if "{" not in path else None
        async with self._session.request(method, url, params=query, json=body) as response:
            return ConsultToolResponse(text=await response.text(), failed=response.status >= 400)


@asynccontextmanager
async def by_contract(servicer: Any) -> AsyncIterator[tuple[ContractMemory, GrpcTools]]:
    """What serves the contract, called."""
    server = grpc.aio.server()
    add_ExternalMemoryServiceServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            tools = GrpcTools(channel)
            consulting = Consulting(tools, "archive")  # type: ignore[arg-type]
            yield ContractMemory(consulting, "ExternalMemoryService"), tools
    finally:
        await server.stop(None)


@asynccontextmanager
async def archive(folder: Path) -> AsyncIterator[ContractMemory]:
    """The example that serves the contract, with its file there."""
    async with by_contract(example("memory").Archive(str(folder / "archive.db"))) as (memory, _):
        yield memory


@asynccontextmanager
async def by_http() -> AsyncIterator[Mem0Memory]:
    """The example that speaks as mem0 does."""
    runner = web.AppRunner(example("mem0_like").application())
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    try:
        async with aiohttp.ClientSession() as session:
            tools = HttpTools(session, f"http://127.0.0.1:{port}")
            yield Mem0Memory(Consulting(tools, "mem0"), Mem0Tools())  # type: ignore[arg-type]
    finally:
        await runner.cleanup()
