"""Places of each kind but MCP that answer, fail and lead elsewhere, and tell what they heard."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import grpc
from aiohttp import web
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection

HEALTH = "grpc.health.v1.Health"
PATHS = ("echo", "fails", "moved")
DOCUMENT = {
    "openapi": "3.1.0",
    "info": {"title": "Heard", "version": "1"},
    "paths": {
        f"/{path}": {
            "get": {"operationId": path, "responses": {"200": {"description": "It is there."}}}
        }
        for path in PATHS
    },
}


class Places:
    """Their ports on 127.0.0.1, and the kind, the path and the headers of all that came."""

    def __init__(self) -> None:
        self.http, self.grpc = 0, 0
        self.heard: list[tuple[str, str, dict[str, str]]] = []

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        """One request over HTTP, or a WebSocket that answers what it is asked."""
        kind = "websocket" if request.path == "/ws" else "http"
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.heard.append((kind, request.path, headers))
        if kind == "websocket":
            return await _talked(request)
        if request.path == "/openapi.json":
            return web.json_response(DOCUMENT)
        if request.path == "/moved":
            elsewhere = f"http://localhost:{self.http}/elsewhere"
            return web.Response(status=302, headers={"location": elsewhere})
        return web.json_response({}, status=500 if request.path == "/fails" else 200)

    async def check(self, request: Any, context: Any) -> Any:
        """One call by gRPC; a service that has a name is refused."""
        headers = {str(name): str(value) for name, value in context.invocation_metadata()}
        self.heard.append(("grpc", HEALTH, headers))
        if request.service:
            await context.abort(grpc.StatusCode.UNAUTHENTICATED, "said so")
        return health_pb2.HealthCheckResponse(status=health_pb2.HealthCheckResponse.SERVING)


async def _talked(request: web.BaseRequest) -> web.WebSocketResponse:
    socket = web.WebSocketResponse()
    await socket.prepare(request)
    async for told in socket:
        said = json.loads(told.data)
        if said.get("method") == "close":
            await socket.close(code=1008, message=b"said so")
        else:
            await socket.send_json({"id": said["id"], "result": {}})
    return socket


@asynccontextmanager
async def places() -> AsyncIterator[Places]:
    """Both servers."""
    made, calls = Places(), grpc.aio.server()
    handler = grpc.unary_unary_rpc_method_handler(
        made.check,
        request_deserializer=health_pb2.HealthCheckRequest.FromString,
        response_serializer=health_pb2.HealthCheckResponse.SerializeToString,
    )
    generic = grpc.method_handlers_generic_handler(HEALTH, {"Check": handler})
    calls.add_generic_rpc_handlers((generic,))
    reflection.enable_server_reflection([HEALTH], calls)
    made.grpc = calls.add_insecure_port("127.0.0.1:0")
    await calls.start()
    runner = web.ServerRunner(web.Server(made.answer))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.http = runner.addresses[0][1]
    try:
        yield made
    finally:
        await runner.cleanup()
        await calls.stop(None)
