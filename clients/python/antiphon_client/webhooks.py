"""Webhooks: addresses that are told when turns end or wait for people."""

from collections.abc import AsyncGenerator, Sequence
from typing import TYPE_CHECKING

from google.protobuf.field_mask_pb2 import FieldMask

from antiphon.dispatcher.v1 import webhook_service_pb2 as messages
from antiphon.dispatcher.v1.webhook_pb2 import (
    DELIVERY_STATE_UNSPECIFIED,
    Delivery,
    DeliveryState,
    Webhook,
)
from antiphon.events.v1.event_pb2 import NotificationKind, TurnState
from antiphon_client.caller import Caller, pages
from antiphon_client.ids import new_webhook_id

if TYPE_CHECKING:
    from antiphon.dispatcher.v1.webhook_service_pb2_grpc import WebhookServiceAsyncStub


class Webhooks:
    """What users do with their own webhooks, or who manages a workspace with those of it.

    Without a ``workspace_id`` they are the caller's own. Errors: AntiphonError, as each RPC's
    comment says.
    """

    _webhooks: "WebhookServiceAsyncStub"
    _caller: Caller

    async def create_webhook(
        self,
        url: str,
        workspace_id: str = "",
        *,
        webhook_id: str = "",
        description: str = "",
        kinds: Sequence[NotificationKind.ValueType] = (),
        states: Sequence[TurnState.ValueType] = (),
        handlers: Sequence[str] = (),
        workspaces: Sequence[str] = (),
    ) -> tuple[Webhook, str]:
        """Have an address told; returns the webhook and its secret, which is told here alone."""
        webhook = Webhook(
            webhook_id=webhook_id or new_webhook_id(),
            url=url,
            description=description,
            kinds=kinds,
            states=states,
            handlers=handlers,
            workspaces=workspaces,
        )
        request = messages.CreateWebhookRequest(workspace_id=workspace_id, webhook=webhook)
        answer = await self._caller.call(self._webhooks.CreateWebhook, request)
        return answer.webhook, answer.secret

    async def get_webhook(self, webhook_id: str, workspace_id: str = "") -> Webhook:
        """One webhook as it is now."""
        request = messages.GetWebhookRequest(workspace_id=workspace_id, webhook_id=webhook_id)
        return (await self._caller.call(self._webhooks.GetWebhook, request)).webhook

    async def list_webhooks(self, workspace_id: str = "") -> Sequence[Webhook]:
        """All of them."""
        request = messages.ListWebhooksRequest(workspace_id=workspace_id)
        return (await self._caller.call(self._webhooks.ListWebhooks, request)).webhooks

    async def update_webhook(
        self, webhook: Webhook, *names: str, only_if_unchanged: bool = False
    ) -> Webhook:
        """Change the named fields to what a webhook says that was read before."""
        request = messages.UpdateWebhookRequest(
            workspace_id=webhook.workspace_id,
            webhook=webhook,
            update_mask=FieldMask(paths=names),
            etag=webhook.etag if only_if_unchanged else "",
        )
        return (await self._caller.call(self._webhooks.UpdateWebhook, request)).webhook

    async def delete_webhook(self, webhook_id: str, workspace_id: str = "") -> None:
        """Have an address told nothing more."""
        request = messages.DeleteWebhookRequest(workspace_id=workspace_id, webhook_id=webhook_id)
        await self._caller.call(self._webhooks.DeleteWebhook, request)

    async def rotate_webhook_secret(
        self, webhook_id: str, workspace_id: str = ""
    ) -> tuple[Webhook, str]:
        """Make another secret; returns it, too. The one before signs for 24 hours more."""
        request = messages.RotateWebhookSecretRequest(
            workspace_id=workspace_id, webhook_id=webhook_id
        )
        answer = await self._caller.call(self._webhooks.RotateWebhookSecret, request)
        return answer.webhook, answer.secret

    async def test_webhook(
        self, webhook_id: str, workspace_id: str = ""
    ) -> messages.TestWebhookResponse:
        """Post a message of the type ``webhook.test`` there, and hear what came of it."""
        request = messages.TestWebhookRequest(workspace_id=workspace_id, webhook_id=webhook_id)
        return await self._caller.call(self._webhooks.TestWebhook, request)

    def list_deliveries(
        self,
        webhook_id: str,
        workspace_id: str = "",
        *,
        state: DeliveryState.ValueType = DELIVERY_STATE_UNSPECIFIED,
    ) -> AsyncGenerator[Delivery]:
        """What was posted there, and what is to be, the newest first."""

        async def fetch(page_token: str) -> messages.ListDeliveriesResponse:
            request = messages.ListDeliveriesRequest(
                workspace_id=workspace_id,
                webhook_id=webhook_id,
                state=state,
                page_token=page_token,
            )
            return await self._caller.call(self._webhooks.ListDeliveries, request)

        return pages(fetch, lambda page: page.deliveries)

    async def redeliver(
        self, webhook_id: str, notification_id: str, workspace_id: str = ""
    ) -> Delivery:
        """Have one posted again."""
        request = messages.RedeliverRequest(
            workspace_id=workspace_id, webhook_id=webhook_id, notification_id=notification_id
        )
        return (await self._caller.call(self._webhooks.Redeliver, request)).delivery
