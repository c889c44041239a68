"""WebhookService: the contract's messages <-> webhooks."""

import time
from typing import Any, TypeAlias

import grpc

from antiphon.dispatcher.v1 import webhook_pb2
from antiphon.dispatcher.v1 import webhook_service_pb2 as pb
from antiphon.dispatcher.v1.webhook_service_pb2_grpc import WebhookServiceServicer
from antiphon_server.notifying.bodies import trial_message
from antiphon_server.notifying.encoding import (
    MASKED,
    changed,
    delivery_message,
    new_webhook,
    webhook_message,
)
from antiphon_server.notifying.model import State, Webhook
from antiphon_server.notifying.webhooks import Webhooks
from antiphon_server.runtime.access.principal import current_principal
from antiphon_server.runtime.rpc.field_masks import masked
from antiphon_server.runtime.rpc.paging import (
    decode_page_token,
    encode_page_token,
    number,
    page_limit,
    page_of,
)
from antiphon_server.runtime.trail.relay import TrailRelay

Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"


class WebhookServicer(WebhookServiceServicer):
    """Serves users, and who manages workspaces."""

    def __init__(self, webhooks: Webhooks, trail: TrailRelay) -> None:
        self._webhooks, self._trail = webhooks, trail

    async def CreateWebhook(
        self, request: pb.CreateWebhookRequest, context: Context
    ) -> pb.CreateWebhookResponse:
        owner, creator = _owner(request.workspace_id), current_principal().actor
        wanted = new_webhook(request.webhook, owner, creator)
        found, secret = await self._webhooks.create(wanted)
        await self._trail.tell()
        return pb.CreateWebhookResponse(webhook=_message(found), secret=secret)

    async def GetWebhook(
        self, request: pb.GetWebhookRequest, context: Context
    ) -> pb.GetWebhookResponse:
        found = await self._webhooks.get(_owner(request.workspace_id), request.webhook_id)
        return pb.GetWebhookResponse(webhook=_message(found))

    async def ListWebhooks(
        self, request: pb.ListWebhooksRequest, context: Context
    ) -> pb.ListWebhooksResponse:
        found = await self._webhooks.list(_owner(request.workspace_id))
        return pb.ListWebhooksResponse(webhooks=map(_message, found))

    async def UpdateWebhook(
        self, request: pb.UpdateWebhookRequest, context: Context
    ) -> pb.UpdateWebhookResponse:
        paths = masked(request.update_mask, MASKED)
        owner, said = _owner(request.workspace_id), request.webhook
        before = await self._webhooks.get(owner, said.webhook_id)
        after = changed(before, said, paths)
        found = await self._webhooks.change(before, after, request.etag)
        await self._trail.tell()
        return pb.UpdateWebhookResponse(webhook=_message(found))

    async def DeleteWebhook(
        self, request: pb.DeleteWebhookRequest, context: Context
    ) -> pb.DeleteWebhookResponse:
        await self._webhooks.delete(_owner(request.workspace_id), request.webhook_id)
        await self._trail.tell()
        return pb.DeleteWebhookResponse()

    async def RotateWebhookSecret(
        self, request: pb.RotateWebhookSecretRequest, context: Context
    ) -> pb.RotateWebhookSecretResponse:
        owner = _owner(request.workspace_id)
        found, secret = await self._webhooks.rotate(owner, request.webhook_id)
        await self._trail.tell()
        return pb.RotateWebhookSecretResponse(webhook=_message(found), secret=secret)

    async def TestWebhook(
        self, request: pb.TestWebhookRequest, context: Context
    ) -> pb.TestWebhookResponse:
        owner, body = _owner(request.workspace_id), trial_message(_now_us())
        notification_id, attempt = await self._webhooks.test(owner, request.webhook_id, body)
        response = pb.TestWebhookResponse(
            outcome=webhook_pb2.DeliveryOutcome.ValueType(attempt.outcome),
            status_code=attempt.status,
            notification_id=notification_id,
        )
        response.duration.FromMilliseconds(int(attempt.took_s * 1000))
        return response

    async def ListDeliveries(
        self, request: pb.ListDeliveriesRequest, context: Context
    ) -> pb.ListDeliveriesResponse:
        state, limit = request.state, page_limit(request.page_size)
        listed = f"deliveries of {request.webhook_id} {state}"
        position = decode_page_token(request.page_token, listed, fields=2)
        found = await self._webhooks.deliveries(
            _owner(request.workspace_id),
            request.webhook_id,
            State(state) if state else None,
            (number(position[0]), position[1]) if position else None,
            limit + 1,
        )
        page, token = page_of(map(delivery_message, found), limit), ""
        if len(found) > len(page):
            last = found[len(page) - 1]
            token = encode_page_token(listed, str(last.created_us), last.notification_id)
        return pb.ListDeliveriesResponse(deliveries=page, next_page_token=token)

    async def Redeliver(
        self, request: pb.RedeliverRequest, context: Context
    ) -> pb.RedeliverResponse:
        owner, which = _owner(request.workspace_id), request.notification_id
        found = await self._webhooks.redeliver(owner, request.webhook_id, which)
        return pb.RedeliverResponse(delivery=delivery_message(found))


def _owner(workspace_id: str) -> str:
    """Whose webhooks a request is about: the workspace's, else the caller's own."""
    return f"workspaces/{workspace_id}" if workspace_id else current_principal().actor


def _message(it: Webhook) -> webhook_pb2.Webhook:
    return webhook_message(it, _now_us())


def _now_us() -> int:
    return time.time_ns() // 1000
