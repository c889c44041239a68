"""What can be asked for before one is signed in: a device's login, a reset password."""

import asyncio
import platform
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import grpc

from antiphon.auth.v1 import auth_service_pb2 as messages
from antiphon.auth.v1.auth_service_pb2_grpc import AuthServiceStub
from antiphon_client.address import open_channel
from antiphon_client.credentials import Tokens
from antiphon_client.status import error_of_rpc
from antiphon_client.tls import Tls
from antiphon_client.token_exchange import tokens_of

if TYPE_CHECKING:
    from antiphon.auth.v1.auth_service_pb2_grpc import AuthServiceAsyncStub

_DEADLINE_S = 30.0
_WAITING = ("AUTHORIZATION_PENDING", "SLOW_DOWN", "RATE_LIMITED")


async def log_in_by_device(
    address: str,
    shown: Callable[[messages.StartDeviceLoginResponse], None],
    *,
    device: str = "antiphon_client",
    tls: Tls | None = None,
) -> Tokens:
    """Wait until somebody who is signed in elsewhere lets this device in (RFC 8628).

    ``shown`` is told the code to show them. Raises AntiphonError: LOGIN_DENIED, LOGIN_EXPIRED;
    UNAVAILABLE if the server is away when the code expires.
    """
    async with open_channel(address, tls) as channel:
        auth: AuthServiceAsyncStub = AuthServiceStub(channel)
        name = f"{device} on {platform.node()}"[:128]
        try:
            request = messages.StartDeviceLoginRequest(device=name)
            started = await auth.StartDeviceLogin(request, timeout=_DEADLINE_S)
        except grpc.aio.AioRpcError as error:
            raise error_of_rpc(error) from None
        shown(started)
        login = messages.LoginRequest(device=name)
        login.device_code.device_code = started.device_code
        interval, end = started.interval.ToNanoseconds() / 1e9, started.expire_time
        return await _collect(auth, login, interval, end.ToNanoseconds() / 1e9)


async def _collect(
    auth: "AuthServiceAsyncStub", login: messages.LoginRequest, interval: float, end: float
) -> Tokens:
    """Ask until there is an answer, as slowly as the server wants it.

    A server that is away is asked until ``end``, in Unix time; one that answers knows itself.
    """
    while True:
        await asyncio.sleep(interval)
        try:
            return tokens_of((await auth.Login(login, timeout=_DEADLINE_S)).tokens)
        except grpc.aio.AioRpcError as failed:
            error = error_of_rpc(failed)
            waits = error.reason in _WAITING or (_lost(failed) and time.time() < end)
            if not waits:
                raise error from None
            interval = max(interval, error.retry_after or 0.0)


def _lost(error: grpc.aio.AioRpcError) -> bool:
    """Whether there was no answer."""
    return error.code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED)


async def reset_password(
    address: str, reset_token: str, new_password: str, tls: Tls | None = None
) -> None:
    """Set a password with a token that an operator made. Raises AntiphonError."""
    async with open_channel(address, tls) as channel:
        auth: AuthServiceAsyncStub = AuthServiceStub(channel)
        request = messages.ResetPasswordRequest(reset_token=reset_token, new_password=new_password)
        try:
            await auth.ResetPassword(request, timeout=_DEADLINE_S)
        except grpc.aio.AioRpcError as error:
            raise error_of_rpc(error) from None
