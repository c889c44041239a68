"""Every RPC of memory that reads, about every place: fields are filled by their names."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import grpc
from google.protobuf.message import Message

from antiphon.auth.v1 import access_pb2
from antiphon_client import Client
from tests.access.rpcs import served_rpcs
from tests.e2e.contracts import Rpc
from tests.proofs.isolation.crowd import Place

_REFUSALS = {
    grpc.StatusCode.NOT_FOUND,
    grpc.StatusCode.PERMISSION_DENIED,
    grpc.StatusCode.INVALID_ARGUMENT,
}


def reading_rpcs() -> Sequence[Rpc]:
    """Those of memory that people may call and that change nothing."""
    found = [it for it in served_rpcs() if it.path.startswith("/antiphon.memory.v1.")]
    return [
        it
        for it in found
        if it.access.permission != access_pb2.PERMISSION_INTERNAL
        and (it.method.GetOptions().idempotency_level == 1 or it.method.name == "AssembleContext")
    ]


def requests(rpc: Rpc, place: Place, user_id: str) -> Iterator[Message]:
    """One that names all of the place, one that names nothing of it, one that names its scope."""
    word = {"query": f"heron {place.word}", "page_size": 100, "limit": 50, "max_tokens": 4096}
    names: Mapping[str, Any] = {
        "conversation_id": place.conversation_id,
        "workspace_id": place.workspace_id,
        "scope": place.scope,
        "memory_id": place.memory_id,
        "message_id": "",
        "turn_id": place.turn_id,
        "name": "Plan",
        "user_id": user_id,
        "conversation_ids": [place.conversation_id] if place.conversation_id else [],
        "scopes": [place.scope],
    }
    seen = set[bytes]()
    for given in (word | dict(names), word, word | {"scope": place.scope}):
        request = rpc.request_type()
        for field in request.DESCRIPTOR.fields:
            value = given.get(field.name)
            if value and field.is_repeated == isinstance(value, list):
                if isinstance(value, list):
                    getattr(request, field.name).extend(value)
                else:
                    setattr(request, field.name, value)
        written = request.SerializeToString(deterministic=True)
        if written not in seen:
            seen.add(written)
            yield request


async def answers(client: Client, rpc: Rpc, place: Place, user_id: str) -> Sequence[str]:
    """What somebody is told, as text; nothing where they are refused. Raises AioRpcError."""
    told, token = list[str](), await client.tokens.get()
    for request in requests(rpc, place, user_id):
        try:
            told.append(str(await rpc.call(client.channel, request, token)))
        except grpc.aio.AioRpcError as error:
            if error.code() not in _REFUSALS:
                raise
            told.append(str(error.details()))
    return told
