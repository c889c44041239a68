"""A list of 100 members with their names: in one process, and with the accounts in another."""

from contextlib import AsyncExitStack
from typing import Any

import grpc

from antiphon.auth.v1.access_pb2 import ROLE_VIEWER
from antiphon.auth.v1.auth_service_pb2 import CreateUserRequest
from antiphon.auth.v1.auth_service_pb2_grpc import AuthServiceStub
from antiphon.context.v1.context_service_pb2 import AddMemberRequest, CreateConversationRequest
from antiphon.context.v1.context_service_pb2_grpc import ContextServiceStub
from tests.proofs.bench.bench import Bench
from tests.proofs.bench.figures import Figure
from tests.proofs.bench.meshes import apart, stores
from tests.proofs.bench.processes import free_port
from tests.proofs.bench.rows.hop import compared

MEMBERS = 100
CLIENTS = 10


async def names(bench: Bench) -> list[Figure]:
    """ListMembers beside itself in one process: how long one takes alone, and what all use."""
    async with AsyncExitStack() as stack:
        whole = await stack.enter_async_context(bench.antiphon())
        shared = await stack.enter_async_context(stores(bench.fresh()))
        port = free_port()
        far = await stack.enter_async_context(
            apart(bench, service="auth", port=port, variables=await shared.variables("names"))
        )
        far["parts"] |= shared.parts
        near = whole.target | {"parts": {"all": [whole.server.pid]}}
        sides = [
            (near, await _conversation(near, near["address"])),
            (far, await _conversation(far, f"127.0.0.1:{port}")),
        ]

        async def of(target: dict[str, Any], conversation: str) -> dict[str, Any]:
            seconds, kinds = bench.seconds / 2, ["members"]
            job = {"kinds": kinds, "clients": CLIENTS, "seconds": seconds}
            return await bench.load("steps", target=target, conversation=conversation, **job)

        ours, theirs = await bench.in_turn(lambda: of(*sides[0]), lambda: of(*sides[1]))
    return compared(f"{MEMBERS} members, accounts apart", "members", theirs, ours)


async def _conversation(target: dict[str, Any], accounts: str) -> str:
    """One of so many members."""
    called: dict[str, Any] = {
        "metadata": (("authorization", f"Bearer {target['token']}"),),
        "timeout": 30,
    }
    async with (
        grpc.aio.insecure_channel(target["address"]) as channel,
        grpc.aio.insecure_channel(accounts) as to_accounts,
    ):
        context, auth = ContextServiceStub(channel), AuthServiceStub(to_accounts)
        made = await context.CreateConversation(CreateConversationRequest(), **called)
        resource = made.conversation.conversation_id
        for number in range(MEMBERS - 1):
            wanted = CreateUserRequest(name=f"user{number}", display_name=f"Number {number}")
            user = (await auth.CreateUser(wanted, **called)).user
            await context.AddMember(
                AddMemberRequest(resource=resource, user_id=user.user_id, role=ROLE_VIEWER),
                **called,
            )
    return resource
