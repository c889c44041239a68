"""Who calls: nobody, a user, the operator."""

from dataclasses import dataclass
from typing import Any

import grpc

from antiphon_client import Client, Password
from tests.e2e.contracts import UNKNOWN_IDS
from tests.e2e.server import ServerProcess

PASSWORD = "correct horse battery"


@dataclass(frozen=True, slots=True)
class Caller:
    """A user who is signed in.

    ``known`` are ids of the user's own things by their prefixes, of each kind one; where nothing
    is, one that nothing has.
    """

    name: str
    token: str
    known: dict[str, str]

    @property
    def metadata(self) -> tuple[tuple[str, str], ...]:
        """What goes with each call."""
        return (("authorization", f"Bearer {self.token}"),)


async def caller(name: str, client: Client) -> Caller:
    """Sign in and make a conversation."""
    user = (await client.who_am_i()).user
    conversation = await client.create_conversation(title=name)
    turn = await client.dispatch(conversation.conversation_id, "hello", handler="echo")
    known = UNKNOWN_IDS | {
        "conv": conversation.conversation_id,
        "ws": conversation.workspace_id,
        "user": user.user_id,
        "turn": turn.turn.turn_id,
        "msg": turn.turn.message_id,
    }
    return Caller(name, await client.tokens.get(), known)


async def operator(server: ServerProcess) -> Caller:
    """The local operator."""
    async with server.client() as client:
        return await caller("operator", client)


async def user(server: ServerProcess, name: str) -> Caller:
    """A new user, made by the operator and signed in by password."""
    async with server.client() as client:
        await client.create_user(name, PASSWORD)
    async with Client.connect(server.address, Password(name, PASSWORD)) as client:
        return await caller(name, client)


def channel_to(server: ServerProcess, **options: Any) -> grpc.aio.Channel:
    """A bare channel, without retries."""
    given = {"grpc.enable_retries": 0, **options}
    return grpc.aio.insecure_channel(server.address, list(given.items()))
