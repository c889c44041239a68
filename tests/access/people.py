"""Everybody who may call, on a real server: a token for each identity."""

from dataclasses import dataclass

import grpc

from antiphon.auth.v1 import access_pb2
from antiphon.auth.v1 import auth_service_pb2 as pb
from antiphon.auth.v1.auth_service_pb2_grpc import AuthServiceStub
from antiphon_client import Client, Password
from tests.access.granted import Turn, tokens_of
from tests.e2e.callers import PASSWORD, Caller, user
from tests.e2e.server import ServerProcess
from tests.proofs.bench.antiphon import service_token

ROLES = {"viewer": "VIEWER", "member": "MEMBER", "admin": "ADMIN", "reader": "MEMBER"}


@dataclass(slots=True)
class People:
    """Who calls, and the things of the one whose workspace it is about."""

    channel: grpc.aio.Channel
    owner: Caller
    tokens: dict[str, str]
    keys: dict[str, str]

    async def fresh(self, identity: str) -> str:
        """A token that may be used up: of a new session where the identity has sessions."""
        if identity not in self.keys:
            return self.tokens[identity]
        credential = pb.ApiKeyCredential(api_key=self.keys[identity])
        request = pb.LoginRequest(api_key=credential)
        return (await AuthServiceStub(self.channel).Login(request)).tokens.access_token


async def sign_in(channel: grpc.aio.Channel, name: str) -> str:
    """A token of a new session of the user of that name."""
    credential = pb.PasswordCredential(name=name, password=PASSWORD)
    answer = await AuthServiceStub(channel).Login(pb.LoginRequest(password=credential))
    return answer.tokens.access_token


async def people(server: ServerProcess, channel: grpc.aio.Channel) -> People:
    """Make everybody. The server is stopped and started once, to sign with its key."""
    await server.terminate()
    tokens = {
        "none": "",
        "expired": await service_token(server.data_dir, 3600),
        "service": await service_token(server.data_dir),
    }
    await server.start()
    owner = await user(server, "owner")
    tokens["stranger"] = (await user(server, "stranger")).token
    async with server.client() as operator:
        ids = {
            name: (await operator.create_user(name, PASSWORD)).user_id
            for name in (*ROLES, "guest", "revoked", "bystander")
        }
    await _admit(server, owner, ids)
    for name in ("viewer", "member", "admin", "guest", "revoked"):
        tokens[name] = await sign_in(channel, name)
    await AuthServiceStub(channel).Logout(pb.LogoutRequest(), metadata=bearer(tokens["revoked"]))
    # Keys are quicker than passwords where many sessions are wanted.
    whole = ("viewer", "member", "admin", "guest", "stranger")
    keys = {name: await _key(channel, tokens[name]) for name in whole}
    reader = await sign_in(channel, "reader")
    keys["read key"] = await _key(channel, reader, access_pb2.SCOPE_READ)
    made = People(channel, owner, tokens, keys)
    made.tokens["read key"] = await made.fresh("read key")
    made.tokens["grant"] = (await Turn.begun(channel, owner)).grant(tokens_of(server))
    owner.known["user"] = ids["bystander"]  # whom it is safe to do things to
    return made


async def _admit(server: ServerProcess, owner: Caller, ids: dict[str, str]) -> None:
    async with Client.connect(server.address, Password("owner", PASSWORD)) as client:
        for name, role in ROLES.items():
            value = access_pb2.Role.Value(f"ROLE_{role}")
            for resource in (owner.known["ws"], owner.known["conv"]):
                await client.add_member(resource, ids[name], value)
        await client.add_member(owner.known["conv"], ids["guest"], access_pb2.ROLE_GUEST)


async def _key(channel: grpc.aio.Channel, token: str, *scopes: access_pb2.Scope.ValueType) -> str:
    """A new key of the token's user, limited to the scopes if there are any."""
    request = pb.CreateApiKeyRequest(label="test", scopes=scopes)
    answer = await AuthServiceStub(channel).CreateApiKey(request, metadata=bearer(token))
    return answer.secret


def bearer(token: str) -> tuple[tuple[str, str], ...]:
    """What goes with a call."""
    return (("authorization", f"Bearer {token}"),)
