"""SecretService: the contract's messages <-> the store of secrets."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import grpc

from antiphon.integration.v1 import secret_pb2
from antiphon.integration.v1 import secret_service_pb2 as pb
from antiphon.integration.v1.secret_service_pb2_grpc import SecretServiceServicer
from antiphon_server.integration.connections.connections import Connections
from antiphon_server.integration.secrets.model import Secret, SecretName
from antiphon_server.integration.secrets.ports import SecretStore
from antiphon_server.integration.tools.model import SourceName
from antiphon_server.integration.trail.relay import TrailRelay
from antiphon_server.runtime.rpc.paging import (
    after_name,
    encode_page_token,
    page_limit,
)
from antiphon_server.runtime.rpc.times import timestamp

Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"
Used: TypeAlias = Mapping[SecretName, Sequence[SourceName]]


class SecretServicer(SecretServiceServicer):
    """Serves secrets, but for their values."""

    def __init__(self, secrets: SecretStore, connections: Connections, trail: TrailRelay) -> None:
        self._secrets, self._connections, self._trail = secrets, connections, trail

    async def PutSecret(
        self, request: pb.PutSecretRequest, context: Context
    ) -> pb.PutSecretResponse:
        name = SecretName(request.name)
        stored = await self._secrets.put(request.workspace_id, name, request.value)
        await self._trail.tell()
        await self._connections.sign_anew(request.workspace_id, name)
        used = await self._connections.signed_by(request.workspace_id)
        return pb.PutSecretResponse(secret=_encoded(stored, used))

    async def ListSecrets(
        self, request: pb.ListSecretsRequest, context: Context
    ) -> pb.ListSecretsResponse:
        listed, limit = f"secrets of {request.workspace_id}", page_limit(request.page_size)
        after = after_name(request.page_token, listed)
        found = await self._secrets.listed(request.workspace_id, after, limit + 1)
        used = await self._connections.signed_by(request.workspace_id)
        more = len(found) > limit
        return pb.ListSecretsResponse(
            secrets=[_encoded(it, used) for it in found[:limit]],
            next_page_token=encode_page_token(listed, found[limit - 1].name) if more else "",
        )

    async def DeleteSecret(
        self, request: pb.DeleteSecretRequest, context: Context
    ) -> pb.DeleteSecretResponse:
        await self._secrets.delete(request.workspace_id, SecretName(request.name))
        await self._trail.tell()
        return pb.DeleteSecretResponse()

    async def RotateSecretKeys(
        self, request: pb.RotateSecretKeysRequest, context: Context
    ) -> pb.RotateSecretKeysResponse:
        wrapped = await self._secrets.rotate()
        await self._trail.tell()
        return pb.RotateSecretKeysResponse(wrapped=wrapped)


def _encoded(it: Secret, used: Used) -> secret_pb2.Secret:
    return secret_pb2.Secret(
        name=it.name,
        create_time=timestamp(it.created),
        update_time=timestamp(it.updated),
        connections=used.get(it.name, ()),
    )
