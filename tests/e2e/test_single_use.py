"""What works once works once, whenever the server is killed."""

from pathlib import Path

from antiphon.auth.v1 import auth_pb2
from antiphon.auth.v1 import auth_service_pb2 as pb
from antiphon.auth.v1.auth_service_pb2_grpc import AuthServiceStub
from tests.e2e.callers import PASSWORD, channel_to
from tests.e2e.refusals import refused
from tests.e2e.server import ServerProcess

NEW = "eleven purple elephants"


async def call(server: ServerProcess, method: str, request: object, token: str = "") -> object:
    """Call one RPC of the auth service."""
    metadata = (("authorization", f"Bearer {token}"),)
    async with channel_to(server) as channel:
        stub = AuthServiceStub(channel)
        return await getattr(stub, method)(request, metadata=metadata, timeout=10)


async def killed(server: ServerProcess) -> None:
    """Kill the server, and start it again."""
    await server.kill()
    await server.start()


async def sign_in(server: ServerProcess, password: str) -> str:
    """An access token of ann's."""
    request = pb.LoginRequest(password=pb.PasswordCredential(name="ann", password=password))
    response = await call(server, "Login", request)
    assert isinstance(response, pb.LoginResponse)
    return response.tokens.access_token


async def test_a_reset_and_a_device_survive_kills_and_work_once(tmp_path: Path) -> None:
    """Each is made, used and used again with a kill -9 between any two steps."""
    async with ServerProcess(tmp_path) as server:
        async with server.client() as client:
            ann = await client.create_user("ann", PASSWORD)
            token = (await client.create_password_reset(ann.user_id)).reset_token
        started = await call(server, "StartDeviceLogin", pb.StartDeviceLoginRequest(device="tv"))
        assert isinstance(started, pb.StartDeviceLoginResponse)
        await killed(server)
        reset = pb.ResetPasswordRequest(reset_token=token, new_password=NEW)
        await call(server, "ResetPassword", reset)
        decide = pb.DecideDeviceLoginRequest(user_code=started.user_code, approve=True)
        await call(server, "DecideDeviceLogin", decide, await sign_in(server, NEW))
        await killed(server)
        assert await refused(call(server, "ResetPassword", reset)) == "CREDENTIALS_INVALID"
        ask = pb.LoginRequest(device_code=pb.DeviceCodeCredential(device_code=started.device_code))
        collected = await call(server, "Login", ask)
        assert isinstance(collected, pb.LoginResponse)
        assert collected.user.name == "ann"
        await killed(server)
        refresh = pb.RefreshRequest(refresh_token=collected.tokens.refresh_token)
        await call(server, "Refresh", refresh)
        await killed(server)
        assert await refused(call(server, "Login", ask)) == "LOGIN_EXPIRED"
        again = call(server, "DecideDeviceLogin", decide, await sign_in(server, NEW))
        assert await refused(again) == "LOGIN_EXPIRED"
        who = call(server, "WhoAmI", pb.WhoAmIRequest(), collected.tokens.access_token)
        assert isinstance(await who, pb.WhoAmIResponse)


async def test_a_reused_refresh_token_ends_its_session_across_kills(tmp_path: Path) -> None:
    """In the next life a stolen token ends the family: its next use, whichever, is refused."""

    async def refresh(token: str) -> auth_pb2.TokenPair:
        answer = await call(server, "Refresh", pb.RefreshRequest(refresh_token=token))
        assert isinstance(answer, pb.RefreshResponse)
        return answer.tokens

    async with ServerProcess(tmp_path) as server:
        key = pb.ApiKeyCredential(api_key=server.key.secret)
        first = await call(server, "Login", pb.LoginRequest(api_key=key))
        assert isinstance(first, pb.LoginResponse)
        second = await refresh(first.tokens.refresh_token)
        third = await refresh(second.refresh_token)
        await killed(server)
        assert await refused(refresh(first.tokens.refresh_token)) == "SESSION_REVOKED"
        for pair in (second, third):
            who = call(server, "WhoAmI", pb.WhoAmIRequest(), pair.access_token)
            assert await refused(refresh(pair.refresh_token)) == "SESSION_REVOKED"
            assert await refused(who) == "SESSION_REVOKED"
