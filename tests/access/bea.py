"""Bea, whose access an owner gives and takes."""

import grpc

from antiphon.auth.v1 import access_pb2
from antiphon.auth.v1 import auth_service_pb2 as auth_pb
from antiphon.auth.v1.auth_service_pb2_grpc import AuthServiceStub
from antiphon.context.v1 import context_service_pb2 as pb
from antiphon.context.v1.context_service_pb2_grpc import ContextServiceStub
from tests.access.people import bearer
from tests.e2e.callers import PASSWORD, Caller, user
from tests.e2e.server import ServerProcess


class Bea:
    """Her access, changed over the owner's channel."""

    def __init__(self, channel: grpc.aio.Channel, owner: Caller, user_id: str) -> None:
        self.user_id = user_id
        self.owner = owner
        self.scope = f"conversations/{owner.known['conv']}"
        self._channel = channel
        self._context = ContextServiceStub(channel)

    @classmethod
    async def of(cls, server: ServerProcess, channel: grpc.aio.Channel) -> "Bea":
        """Make her, and an owner with a conversation."""
        owner = await user(server, "owner")
        async with server.client() as operator:
            return cls(channel, owner, (await operator.create_user("bea", PASSWORD)).user_id)

    async def is_given(self, resource: str, role: access_pb2.Role.ValueType) -> None:
        """Give her a role, whatever it was before."""
        await self.loses(resource)
        request = pb.AddMemberRequest(
            resource=self.owner.known[resource], user_id=self.user_id, role=role
        )
        await self._context.AddMember(request, metadata=self.owner.metadata)

    async def loses(self, resource: str) -> None:
        """Take her role away, if there is one."""
        request = pb.RemoveMemberRequest(resource=self.owner.known[resource], user_id=self.user_id)
        try:
            await self._context.RemoveMember(request, metadata=self.owner.metadata)
        except grpc.aio.AioRpcError as error:
            if error.code() is not grpc.StatusCode.NOT_FOUND:
                raise

    async def revokes(self, token: str, by: str) -> None:
        """End the session of one of her tokens with another one."""
        auth = AuthServiceStub(self._channel)
        me = await auth.WhoAmI(auth_pb.WhoAmIRequest(), metadata=bearer(token))
        request = auth_pb.RevokeSessionRequest(session_id=me.session.session_id)
        await auth.RevokeSession(request, metadata=bearer(by))
