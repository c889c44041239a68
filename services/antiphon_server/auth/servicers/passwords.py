"""Passwords: decode, call, encode."""

from typing import Any

from antiphon.auth.v1 import auth_service_pb2 as pb
from antiphon_server.auth import encoding
from antiphon_server.auth.servicers.rules import Rpcs
from antiphon_server.runtime.access.principal import UserId, current_principal
from antiphon_server.runtime.net.addresses import current_address


class PasswordRpcs(Rpcs):
    """Changing and resetting passwords."""

    async def ChangePassword(
        self, request: pb.ChangePasswordRequest, context: Any
    ) -> pb.ChangePasswordResponse:
        caller, old, new = current_principal(), request.old_password, request.new_password
        await self._rules.password_changes.change(caller, old, new, current_address())
        return pb.ChangePasswordResponse()

    async def CreatePasswordReset(
        self, request: pb.CreatePasswordResetRequest, context: Any
    ) -> pb.CreatePasswordResetResponse:
        token, expire_time = await self._rules.password_resets.create(
            UserId(request.user_id),
            api_keys=request.api_keys,
            request=self._repeatable(request),
        )
        return pb.CreatePasswordResetResponse(
            reset_token=token, expire_time=encoding.timestamp(expire_time)
        )

    async def ResetPassword(
        self, request: pb.ResetPasswordRequest, context: Any
    ) -> pb.ResetPasswordResponse:
        await self._rules.password_resets.use(request.reset_token, request.new_password)
        return pb.ResetPasswordResponse()
