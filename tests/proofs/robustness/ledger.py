"""The ledger and the endpoint's truth, read into histories."""

import json
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from antiphon.integration.v1.integration_service_pb2 import GetUsageRequest, GetUsageResponse
from antiphon.integration.v1.integration_service_pb2_grpc import IntegrationServiceStub
from antiphon.integration.v1.model_pb2 import AttemptOutcome, ModelCall
from antiphon_client import Client
from tests.e2e.until import until
from tests.fakes.openai_behaviour import Seen
from tests.proofs.robustness.history import Call, Served
from tests.proofs.robustness.stage import Stage
from tests.proofs.robustness.stops import TOLD_S

if TYPE_CHECKING:
    from antiphon.integration.v1.integration_service_pb2_grpc import IntegrationServiceAsyncStub

WHOLE = ("ok", "drip")


async def read_ledger(client: Client, stage: Stage) -> None:
    """Note with each conversation what its model calls were, by both sides' words.

    A request of a stopped turn is given its time to end. The total is compared over the
    workspace, which is the same for all of them.
    """
    await _told(stage)
    stub = IntegrationServiceStub(client.channel)
    for workspace_id in {scene.workspace_id for scene in stage.scenes}:
        calls, total = await _usage(stub, client, workspace_id)
        added = (
            sum(call.usage.input_tokens for call in calls),
            sum(call.usage.output_tokens for call in calls),
        )
        for scene in stage.scenes:
            history = scene.history
            where = scene.conversation_id
            history.calls = [_call(it) for it in calls if it.conversation_id == where]
            history.total, history.added = total, added
            history.deaths = stage.deaths
            known = {fact.turn_id for fact in history.log if fact.turn_id}
            known |= {call.turn_id for call in history.calls}
            served = [_served(seen, stage) for seen in stage.endpoint.seen]
            history.served = [it for it in served if it.turn_id in known]


async def _usage(
    stub: "IntegrationServiceAsyncStub", client: Client, workspace_id: str
) -> tuple[Sequence[ModelCall], tuple[int, int]]:
    calls: list[ModelCall] = []
    page_token = ""
    while True:
        request = GetUsageRequest(workspace_id=workspace_id, page_size=200, page_token=page_token)
        metadata = (("authorization", f"Bearer {await client.tokens.get()}"),)
        page: GetUsageResponse = await stub.GetUsage(request, metadata=metadata, timeout=30)
        calls += page.calls
        page_token = page.next_page_token
        if not page_token:
            return calls, (page.total.input_tokens, page.total.output_tokens)


def _call(call: ModelCall) -> Call:
    return Call(
        call.turn_id,
        AttemptOutcome.Name(call.outcome).removeprefix("ATTEMPT_OUTCOME_"),
        call.usage.input_tokens,
        call.usage.output_tokens,
        call.usage.estimated,
        call.error_reason,
    )


def _served(seen: Seen, stage: Stage) -> Served:
    """Whose turn a request was for stands at the beginning of its last message.

    What is recalled of older messages may be in front of it, in lines of its own.
    """
    text = str(seen.body["messages"][-1]["content"])
    if text.startswith("From earlier in this conversation"):
        text = text.rpartition("\n")[2]
    behaviour = stage.endpoint.behaviour
    whole = seen.mode in WHOLE and seen.ended is not None
    sent_bytes = seen.sent * len(behaviour.text.encode())
    return Served(
        text.partition(" ")[0],
        whole,
        behaviour.usage or (0, 0),
        sent_bytes,
        len(json.dumps(seen.body, ensure_ascii=False).encode()),
        seen.received,
        _over(seen),
    )


def _over(seen: Seen) -> float | None:
    """When it was answered to the end, or broken off."""
    return seen.ended if seen.ended is not None else seen.aborted


async def _told(stage: Stage) -> None:
    """Wait until no request is under way, or the model should have been told of each stop."""
    with suppress(TimeoutError):
        await until(lambda: all(_over(it) is not None for it in stage.endpoint.seen), TOLD_S + 0.5)
