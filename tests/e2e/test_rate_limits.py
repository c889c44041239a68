"""Rate limits of a whole server: told as security events, and not stopped by Redis."""

import asyncio
import json
from collections import Counter
from pathlib import Path
from typing import Any

import grpc

from antiphon.auth.v1 import audit_service_pb2, auth_service_pb2
from antiphon.auth.v1.audit_service_pb2_grpc import AuditServiceStub
from antiphon.auth.v1.auth_service_pb2_grpc import AuthServiceStub
from antiphon_server.runtime.errors.wire import domain_error_of
from tests.e2e.callers import Caller, channel_to, operator
from tests.e2e.server import ServerProcess
from tests.fakes.valkey import Valkey

LOGIN = "/antiphon.auth.v1.AuthService/Login"


async def test_a_flood_of_refusals_is_one_security_event(tmp_path: Path) -> None:
    """Of 50 logins from one address 5 are looked at, 45 refused; one event is recorded."""
    variables = {
        "ANTIPHON_BEHIND_PROXY": "true",
        "ANTIPHON_RATE_LIMITS": json.dumps({"sign_ins": 5}),
    }
    async with ServerProcess(tmp_path, variables=variables) as server:
        caller = await operator(server)
        async with channel_to(server) as channel:
            auth: Any = AuthServiceStub(channel)
            request = auth_service_pb2.LoginRequest(device="test")
            request.password.name, request.password.password = "nobody", "wrong password"
            metadata = (("x-forwarded-for", "192.0.2.66, 203.0.113.7"),)
            reasons: Counter[str] = Counter()
            for _ in range(50):
                try:
                    await auth.Login(request, metadata=metadata, timeout=10)
                except grpc.aio.AioRpcError as error:
                    reasons[domain_error_of(error).reason] += 1
            assert reasons == {"CREDENTIALS_INVALID": 5, "RATE_LIMITED": 45}
            [event] = await _rate_limited(channel, caller)
            assert event.rate_limited.rpc == LOGIN
            assert 1 <= event.rate_limited.count <= 45  # those of the first moment
            assert event.address == "203.0.113.7"


async def test_no_call_fails_whatever_redis_does(tmp_path: Path) -> None:
    """While it is killed, comes back empty, is stopped and flaps, everybody is served."""
    async with Valkey() as valkey:
        variables = {"ANTIPHON_REDIS_URL": valkey.url, "ANTIPHON_BEHIND_PROXY": "true"}
        async with ServerProcess(tmp_path, variables=variables) as server:
            caller = await operator(server)
            async with channel_to(server) as channel:
                await _call_until_counted(channel, caller, valkey)
                await valkey.kill()
                await _call(channel, caller)
                await valkey.start()
                await _call_until_counted(channel, caller, valkey)
                valkey.freeze()
                await _call(channel, caller)
                valkey.thaw()
                for _ in range(5):
                    await valkey.kill()
                    await _call(channel, caller, 5)
                    await valkey.start()
                await _call_until_counted(channel, caller, valkey)
        assert server.defects == []


async def _call(channel: grpc.aio.Channel, caller: Caller, times: int = 50) -> None:
    """Call from elsewhere, which is counted. Raises what a call was refused with."""
    auth: Any = AuthServiceStub(channel)
    metadata = (*caller.metadata, ("x-forwarded-for", "203.0.113.7"))
    for _ in range(times):
        await auth.WhoAmI(auth_service_pb2.WhoAmIRequest(), metadata=metadata, timeout=30)
        await asyncio.sleep(0.01)


async def _call_until_counted(channel: grpc.aio.Channel, caller: Caller, valkey: Valkey) -> None:
    """Call until Redis holds the marker of the server, and counts: of the address, of the user."""
    async with asyncio.timeout(60):
        while await valkey.keys() < 3:
            await _call(channel, caller, 5)


async def _rate_limited(channel: grpc.aio.Channel, caller: Caller) -> list[Any]:
    """What is recorded of refused calls, as soon as anything is."""
    audit: Any = AuditServiceStub(channel)
    for _ in range(600):
        listed = await audit.ListSecurityEvents(
            audit_service_pb2.ListSecurityEventsRequest(page_size=100),
            metadata=caller.metadata,
            timeout=10,
        )
        found = [event for event in listed.events if event.HasField("rate_limited")]
        if found:
            return found
        await asyncio.sleep(0.1)
    return []
