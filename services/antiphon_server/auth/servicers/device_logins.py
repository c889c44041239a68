"""Logins of devices: decode, call, encode."""

from typing import Any

from google.protobuf.duration_pb2 import Duration

from antiphon.auth.v1 import auth_service_pb2 as pb
from antiphon_server.auth import encoding
from antiphon_server.auth.servicers.rules import Rpcs
from antiphon_server.runtime.access.principal import current_principal
from antiphon_server.runtime.net.addresses import current_address


class DeviceLoginRpcs(Rpcs):
    """Beginning and deciding logins of devices; that of a device itself is Login."""

    async def StartDeviceLogin(
        self, request: pb.StartDeviceLoginRequest, context: Any
    ) -> pb.StartDeviceLoginResponse:
        started = await self._rules.device_logins.start(request.device, current_address())
        interval = Duration()
        interval.FromMicroseconds(started.interval)
        return pb.StartDeviceLoginResponse(
            device_code=started.device_code,
            user_code=started.user_code,
            interval=interval,
            expire_time=encoding.timestamp(started.expire_time),
        )

    async def GetDeviceLogin(
        self, request: pb.GetDeviceLoginRequest, context: Any
    ) -> pb.GetDeviceLoginResponse:
        login = await self._rules.device_decisions.show(current_principal(), request.user_code)
        return pb.GetDeviceLoginResponse(
            device=login.device,
            address=login.address,
            create_time=encoding.timestamp(login.create_time),
        )

    async def DecideDeviceLogin(
        self, request: pb.DecideDeviceLoginRequest, context: Any
    ) -> pb.DecideDeviceLoginResponse:
        caller = current_principal()
        await self._rules.device_decisions.decide(caller, request.user_code, request.approve)
        return pb.DecideDeviceLoginResponse()
