"""Accounts: decode, call, encode."""

from typing import Any

from google.protobuf.duration_pb2 import Duration

from antiphon.auth.v1 import auth_service_pb2 as pb
from antiphon_server.auth import encoding
from antiphon_server.auth.servicers.rules import Rpcs
from antiphon_server.runtime.access.principal import UserId, current_principal
from antiphon_server.runtime.rpc.paging import page_limit


class UserRpcs(Rpcs):
    """Making, finding and changing accounts."""

    async def CreateUser(
        self, request: pb.CreateUserRequest, context: Any
    ) -> pb.CreateUserResponse:
        user = await self._rules.users.create(current_principal(), encoding.new_user(request))
        return pb.CreateUserResponse(user=encoding.user(user))

    async def GetUser(self, request: pb.GetUserRequest, context: Any) -> pb.GetUserResponse:
        if request.name:
            user = await self._rules.users.named(request.name)
        else:
            user = await self._rules.users.get(UserId(request.user_id))
        return pb.GetUserResponse(user=encoding.user(user))

    async def GetDisplayNames(
        self, request: pb.GetDisplayNamesRequest, context: Any
    ) -> pb.GetDisplayNamesResponse:
        names = await self._rules.users.names_of([UserId(each) for each in request.user_ids])
        return pb.GetDisplayNamesResponse(
            display_names={str(key): names[key] for key in names},
            kept_for=Duration(seconds=int(self._rules.known_names.lasts_s)),
        )

    async def ListUsers(self, request: pb.ListUsersRequest, context: Any) -> pb.ListUsersResponse:
        prefix, limit = request.name_prefix, page_limit(request.page_size)
        after = encoding.after_name(request.page_token, prefix)
        page = await self._rules.users.list_named(prefix, after, limit)
        return pb.ListUsersResponse(
            users=[encoding.user(user) for user in page],
            next_page_token=encoding.next_users(page, limit, prefix),
        )

    async def UpdateUser(
        self, request: pb.UpdateUserRequest, context: Any
    ) -> pb.UpdateUserResponse:
        user_id = UserId(request.user_id)
        user = await self._rules.user_updates.update(user_id, encoding.wishes(request))
        return pb.UpdateUserResponse(user=encoding.user(user))
