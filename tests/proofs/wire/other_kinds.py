"""A secret that signs calls of all kinds but MCP, which succeed and fail in each way."""

import json

from google.protobuf.duration_pb2 import Duration

from antiphon.integration.v1 import connection_pb2 as pb
from antiphon.integration.v1.connection_service_pb2 import HttpRequest, SocketMessage
from antiphon_client import AntiphonError, Client
from tests.fakes.heard_places import HEALTH, PATHS, Places

SCHEMA = '{"type": "object"}'
CALLS = [
    *(f"rest.{path}" for path in PATHS),
    *("socket.say", "socket.close", "calls.Health.Check", "nowhere.echo", "unsafe.Health.Check"),
]


async def used_elsewhere(client: Client, workspace: str, places: Places) -> list[str]:
    """Connections signed by the secret `it`; all that was answered to adding and using them."""
    told = []
    for connection in _connections(places):
        told.append(str(await client.create_connection(workspace, connection)))
        told.append(str(await client.test_connection(workspace, connection.name)))
    for tool in CALLS:
        told.append(await _came_of(client, workspace, tool, {}))
    refused = {"service": "refused"}
    told.append(await _came_of(client, workspace, "calls.Health.Check", refused))
    for path in (*PATHS, "../up"):
        request = HttpRequest(method="GET", path=f"/{path}")
        told.append(await _forwarded(client, workspace, "rest", request))
    asked = SocketMessage(text=json.dumps({"id": 1, "method": "said"}))
    told.append(await _forwarded(client, workspace, "socket", asked))
    return told


def _connections(places: Places) -> list[pb.Connection]:
    basic = pb.Credential(basic=pb.BasicCredential(user="ada", secret="it"))
    bearer = pb.Credential(bearer="it")
    header = pb.Credential(header=pb.HeaderCredential(name="X-Token", secret="it"))
    here = f"http://127.0.0.1:{places.http}"
    tools = [
        pb.WebSocketTool(name=name, input_schema=SCHEMA, request=json.dumps({"method": name}))
        for name in ("say", "close")
    ]
    socket = pb.WebSocketTarget(
        url=f"ws://127.0.0.1:{places.http}/ws",
        id_member="id",
        result_member="result",
        tools=tools,
    )
    one = pb.GrpcTarget(address=f"http://127.0.0.1:{places.grpc}", services=[HEALTH])
    unsafe = pb.GrpcTarget(address=f"https://127.0.0.1:{places.grpc}", services=[HEALTH])
    targets = [
        pb.Connection(name="rest", openapi=pb.OpenApiTarget(url=f"{here}/openapi.json")),
        pb.Connection(name="nowhere", openapi=pb.OpenApiTarget(url="http://127.0.0.1:9/it.json")),
        pb.Connection(name="socket", web_socket=socket),
        pb.Connection(name="calls", grpc=one),
        pb.Connection(name="unsafe", grpc=unsafe),
    ]
    signs = {"rest": basic, "nowhere": basic, "socket": header}
    for target in targets:
        target.credential.CopyFrom(signs.get(target.name, bearer))
        target.limits.call_timeout.CopyFrom(Duration(seconds=2))
    return targets


async def _came_of(client: Client, workspace: str, tool: str, arguments: dict[str, str]) -> str:
    try:
        return str(await client.call_tool(workspace, tool, arguments))
    except AntiphonError as error:
        return told_of(error)


async def _forwarded(
    client: Client, workspace: str, name: str, wanted: HttpRequest | SocketMessage
) -> str:
    try:
        return str(await client.forward(workspace, name, wanted))
    except AntiphonError as error:
        return told_of(error)


def told_of(error: AntiphonError) -> str:
    """All that an error says, and what is behind it."""
    return f"{error!r} {vars(error)} {error.__cause__!r}"
