"""Who may call what, and why."""

from collections.abc import AsyncGenerator, Iterable
from typing import TYPE_CHECKING

from antiphon.auth.v1 import access_service_pb2 as messages
from antiphon.auth.v1.access_pb2 import Scope
from antiphon_client.caller import Caller, pages

if TYPE_CHECKING:
    from antiphon.auth.v1.access_service_pb2_grpc import AccessServiceAsyncStub


class Accesses:
    """The access service. Errors: AntiphonError, as each RPC's comment says."""

    _access: "AccessServiceAsyncStub"
    _caller: Caller

    def list_access(self) -> AsyncGenerator[messages.RpcAccess]:
        """Every RPC of the server with what a caller needs for it, by name."""

        async def fetch(page_token: str) -> messages.ListAccessResponse:
            request = messages.ListAccessRequest(page_token=page_token)
            return await self._caller.call(self._access.ListAccess, request)

        return pages(fetch, lambda page: page.rpcs)

    async def explain_access(
        self,
        user: str,
        rpc: str,
        resource: str = "",
        scopes: Iterable[Scope.ValueType] | None = None,
    ) -> messages.ExplainAccessResponse:
        """Whether a user may call an RPC now, and why; operators only.

        ``scopes`` asks for a credential that was granted these alone.
        """
        request = messages.ExplainAccessRequest(
            user=user, rpc=rpc, resource=resource, limited=scopes is not None, scopes=scopes
        )
        return await self._caller.call(self._access.ExplainAccess, request)
