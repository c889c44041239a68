"""A user, and a receiver that is told of their turns."""

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from antiphon.dispatcher.v1.turn_pb2 import Turn
from antiphon.dispatcher.v1.webhook_pb2 import Delivery, Webhook
from antiphon.events.v1.event_pb2 import (
    EVENT_KIND_TURN_NOTIFIED,
    EVENT_KIND_WEBHOOK_DISABLED,
    TURN_STATE_SUCCEEDED,
    Event,
)
from antiphon_client import Client, Password
from tests.e2e.callers import PASSWORD
from tests.e2e.server import ServerProcess
from tests.e2e.until import until_it
from tests.fakes.webhook_receiver import WebhookReceiver

LOCAL = {"ANTIPHON_EGRESS_ALLOW_NETWORKS": '["127.0.0.0/8"]'}
"""So that a server may call a receiver on this machine."""


@dataclass(slots=True)
class Stage:
    """A user with a webhook of their own."""

    server: ServerProcess
    client: Client
    receiver: WebhookReceiver
    webhook: Webhook
    user_id: str
    name: str

    def at(self, server: ServerProcess) -> Client:
        """The same user at another server."""
        return Client.connect(server.address, Password(self.name, PASSWORD))

    async def started(self, text: str = "hello", handler: str = "echo") -> Turn:
        """A turn that was begun, at which nobody looks."""
        where = (await self.client.create_conversation()).conversation_id
        return (await self.client.dispatch(where, text, handler=handler)).turn

    async def turn(self, text: str = "hello", handler: str = "echo") -> Turn:
        """A turn that has ended, at which nobody has looked."""
        return await self.ended(await self.started(text, handler))

    async def ended(self, turn: Turn) -> Turn:
        """It, when it has."""

        async def found() -> bool:
            now = await self.client.get_turn(turn.conversation_id, turn.turn_id)
            return now.state >= TURN_STATE_SUCCEEDED

        await until_it(found)
        return await self.client.get_turn(turn.conversation_id, turn.turn_id)

    async def deliveries(self) -> list[Delivery]:
        """The newest first."""
        return [it async for it in self.client.list_deliveries(self.webhook.webhook_id)]

    async def now(self) -> Webhook:
        """The webhook as it is."""
        return await self.client.get_webhook(self.webhook.webhook_id)

    async def notified(self) -> list[Event]:
        """What the user's own log says of this."""
        kinds = (EVENT_KIND_TURN_NOTIFIED, EVENT_KIND_WEBHOOK_DISABLED)
        page = await self.client.read_events(f"users/{self.user_id}", kinds=kinds)
        return list(page.events)


@asynccontextmanager
async def somebody(server: ServerProcess, name: str = "") -> AsyncIterator[Client]:
    """A new user, signed in."""
    name = name or f"u-{uuid.uuid4().hex}"
    async with server.client() as operator:
        await operator.create_user(name, PASSWORD)
    async with Client.connect(server.address, Password(name, PASSWORD)) as client:
        yield client


@asynccontextmanager
async def staged(server: ServerProcess) -> AsyncIterator[Stage]:
    """A new user, with a receiver of their own."""
    name = f"u-{uuid.uuid4().hex}"
    async with somebody(server, name) as client, WebhookReceiver() as receiver:
        webhook, secret = await client.create_webhook(receiver.hook)
        receiver.secrets.append(secret)
        me = (await client.who_am_i()).user
        yield Stage(server, client, receiver, webhook, me.user_id, name)
