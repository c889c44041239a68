"""The ledger beside the truth: what the model's endpoint has seen."""

import asyncio
from collections import Counter

from antiphon.integration.v1.model_pb2 import (
    ATTEMPT_OUTCOME_CANCELLED,
    ATTEMPT_OUTCOME_SUCCEEDED,
    ATTEMPT_OUTCOME_UNKNOWN,
    AttemptOutcome,
    ModelCall,
)
from antiphon_client import Client
from tests.fakes.openai_endpoint import FakeEndpoint

SETTLE_TRIES = 20
STOPPED = (ATTEMPT_OUTCOME_CANCELLED, ATTEMPT_OUTCOME_UNKNOWN)


async def ledger_defects(client: Client, workspace_id: str, endpoint: FakeEndpoint) -> list[str]:
    """What is wrong with the ledger: every request stands there once, settled as it went."""
    seen = list(endpoint.seen)
    calls: list[ModelCall] = []
    for _ in range(SETTLE_TRIES):
        calls = list((await client.get_usage(workspace_id)).calls)
        if len(calls) >= len(seen):
            break
        await asyncio.sleep(0.05)
    wrong: list[str] = []
    if len(calls) != len(seen):
        wrong.append(f"{len(calls)} calls for {len(seen)} requests")
    whole = sum(1 for request in seen if request.ended is not None)
    outcomes = Counter(call.outcome for call in calls)
    if outcomes[ATTEMPT_OUTCOME_SUCCEEDED] != whole:
        wrong.append(f"{outcomes[ATTEMPT_OUTCOME_SUCCEEDED]} succeeded of {whole} answered")
    for call in calls:
        if call.outcome == ATTEMPT_OUTCOME_SUCCEEDED:
            if (call.usage.input_tokens, call.usage.output_tokens) != (11, 25):
                wrong.append(f"{call.call_id} has other tokens than the model reported")
        elif call.outcome not in STOPPED:
            wrong.append(f"{call.call_id} ended as {AttemptOutcome.Name(call.outcome)}")
    return wrong
