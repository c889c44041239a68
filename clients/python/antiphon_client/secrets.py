"""Secrets: the values that sign the calls of connections, which come back from nowhere."""

from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING

from antiphon.integration.v1 import secret_service_pb2 as messages
from antiphon.integration.v1.secret_pb2 import Secret
from antiphon_client.caller import Caller, pages

if TYPE_CHECKING:
    from antiphon.integration.v1.secret_service_pb2_grpc import SecretServiceAsyncStub


class Secrets:
    """The secret service. Errors: AntiphonError, as each RPC's comment says."""

    _secrets: "SecretServiceAsyncStub"
    _caller: Caller

    async def put_secret(self, workspace_id: str, name: str, value: str) -> Secret:
        """Store a value under a name; calls from now on are signed with it."""
        request = messages.PutSecretRequest(workspace_id=workspace_id, name=name, value=value)
        return (await self._caller.call(self._secrets.PutSecret, request)).secret

    def list_secrets(self, workspace_id: str) -> AsyncGenerator[Secret]:
        """A workspace's secrets by name, without their values."""

        async def fetch(page_token: str) -> messages.ListSecretsResponse:
            request = messages.ListSecretsRequest(workspace_id=workspace_id, page_token=page_token)
            return await self._caller.call(self._secrets.ListSecrets, request)

        return pages(fetch, lambda page: page.secrets)

    async def delete_secret(self, workspace_id: str, name: str) -> None:
        """Remove one; connections that name it go down."""
        request = messages.DeleteSecretRequest(workspace_id=workspace_id, name=name)
        await self._caller.call(self._secrets.DeleteSecret, request)

    async def rotate_secret_keys(self) -> int:
        """Wrap the keys of all secrets by a new one of the installation; returns how many."""
        request = messages.RotateSecretKeysRequest()
        return (await self._caller.call(self._secrets.RotateSecretKeys, request)).wrapped
