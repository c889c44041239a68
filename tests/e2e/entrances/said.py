"""What people say, and what they say of a conversation."""

import asyncio
from typing import Any

from antiphon.dispatcher.v1.dispatcher_service_pb2 import ConverseRequest
from antiphon_client import new_turn_id
from tests.e2e.calls import Calls
from tests.e2e.entrances.entrance import Stage, reason_of, reason_of_call
from tests.e2e.refusals import reason_in
from tests.e2e.until import PATIENCE_S
from tests.filters.corpus import Sample


async def posted(stage: Stage, sample: Sample) -> str:
    """By PostMessage."""
    calls = stage.calls
    return await reason_of_call(calls(calls.context.PostMessage, calls.post(*sample.parts)))


async def dispatched(stage: Stage, sample: Sample) -> str:
    """By Dispatch."""
    calls = stage.calls
    return await reason_of_call(calls(calls.dispatcher.Dispatch, _turn(calls, sample)))


async def conversed(stage: Stage, sample: Sample) -> str:
    """By Converse."""
    calls = stage.calls
    stream: Any = calls.dispatcher.Converse(metadata=calls.caller.metadata)
    await stream.write(ConverseRequest(tag="1", post=_turn(calls, sample)))
    answer = await asyncio.wait_for(stream.read(), PATIENCE_S)
    stream.cancel()
    return reason_in(answer.error.error) if answer.HasField("error") else ""


async def titled(stage: Stage, sample: Sample) -> str:
    """As a new conversation's title."""
    return await reason_of(
        stage.client.create_conversation(workspace_id=stage.workspace, title=sample.parts[0])
    )


async def titled_at_home(stage: Stage, sample: Sample) -> str:
    """The same, in one's own workspace, which nobody names."""
    return await reason_of(stage.client.create_conversation(title=sample.parts[0]))


async def instructed(stage: Stage, sample: Sample) -> str:
    """As what a conversation's models are told first."""
    text = sample.parts[0]
    return await reason_of(
        stage.client.create_conversation(workspace_id=stage.workspace, instructions=text)
    )


def _turn(calls: Calls, sample: Sample) -> Any:
    return calls.dispatch(*sample.parts, turn_id=new_turn_id())
